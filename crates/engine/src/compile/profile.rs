//! Profiles: what a ruleset says about its size under a name.

use lookalike_ruleset::diagnostic::did_you_mean;
use lookalike_ruleset::document::Document;
use lookalike_ruleset::{Diagnostic, Problems};

use super::Overrides;

impl Overrides {
    /// These, with what the chosen profile says beside; adds what is wrong with any profile to the problems.
    pub(super) fn with_profile(&self, document: &Document, problems: &mut Problems) -> Overrides {
        let tables = || document.tables.names();
        for profile in &document.profiles.0 {
            for item in
                profile.value.tables.0.iter().filter(|item| document.tables.find(&item.name).is_none())
            {
                problems.push(
                    Diagnostic::error(
                        "unknown-table",
                        item.name_span,
                        format!("the ruleset has no table `{}`", item.name),
                    )
                    .help(did_you_mean(&item.name, "tables", tables())),
                );
            }
            if let (Some(rows), Some(scale)) = (&profile.value.rows, &profile.value.scale) {
                problems.push(
                    Diagnostic::error("bad-rows", scale.span, "a profile has `rows` or `scale`")
                        .related(rows.span, "`rows` of every table")
                        .help("remove one of them"),
                );
            }
        }
        let mut all = self.clone();
        let Some(name) = &self.profile else { return all };
        let Some(profile) = document.profiles.find(name) else {
            problems.push(
                Diagnostic::error("unknown-profile", None, format!("the ruleset has no profile `{name}`"))
                    .help(did_you_mean(name, "profiles", document.profiles.names())),
            );
            return all;
        };
        let profile = &profile.value;
        all.seed = all.seed.or(profile.seed.map(|seed| seed.0));
        if all.rows.is_none() && all.scale.is_none() {
            all.rows = profile.rows.as_ref().map(|rows| rows.value.0);
            all.scale = profile.scale.as_ref().map(|scale| scale.value.0);
            // Later entries go before earlier ones.
            let named = profile.tables.0.iter().map(|item| (item.name.clone(), item.value.0));
            all.table_rows = named.chain(all.table_rows).collect();
        }
        all
    }
}
