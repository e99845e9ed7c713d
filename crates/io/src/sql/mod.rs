//! What databases are told: names and values as each of them reads them, and the statements that make a table.

mod ddl;
mod names;
mod values;

pub(crate) use ddl::Definition;
pub(crate) use names::{check_names, name};
pub(crate) use values::Literals;
#[cfg(feature = "sqlite")]
pub(crate) use values::fits;
