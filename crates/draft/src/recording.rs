use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Answer, Cause, Error, MAX_ANSWER_BYTES, Provider, Request, address};

/// A recording larger than this is not read, in bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Version of the form of recordings.
const FORM: u64 = 1;

/// Makes the connection to a provider when it is first needed.
pub type Connect = Box<dyn Fn() -> Result<Box<dyn Provider>, Error> + Send + Sync>;

/// Asks a provider and keeps every answer in a file under the content address of its request; what is there already is not
/// asked again. So a run that broke off goes on where it was, and a run whose recordings are all there calls nobody and
/// gives the same bytes everywhere.
pub struct Recorder {
    folder: PathBuf,
    connect: Option<Connect>,
    provider: OnceLock<Result<Box<dyn Provider>, Error>>,
    asks_anew: bool,
}

/// An answer, and where it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Content address of the request.
    pub address: String,
    /// The answer.
    pub answer: Answer,
    /// Whether it was there already.
    pub is_replay: bool,
}

/// What a file holds.
#[derive(Deserialize)]
struct Kept {
    recording: u64,
    answer: Answer,
}

#[derive(Serialize)]
struct Keep<'a> {
    recording: u64,
    provider: &'a str,
    place: String,
    request: Value,
    answer: &'a Answer,
}

impl Recorder {
    /// A recorder with its files in `folder`, which is made when first needed. Without `connect` it is offline.
    pub fn new(folder: impl Into<PathBuf>, connect: Option<Connect>) -> Recorder {
        Recorder { folder: folder.into(), connect, provider: OnceLock::new(), asks_anew: false }
    }

    /// Asks even where an answer was kept, which is replaced.
    #[must_use]
    pub fn anew(mut self, anew: bool) -> Recorder {
        self.asks_anew = anew;
        self
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The provider, connected if it was not yet.
    ///
    /// # Errors
    /// When it cannot be connected, or the recorder is offline.
    pub fn provider(&self) -> Result<&dyn Provider, Error> {
        let Some(connect) = &self.connect else {
            return Err(Error::new(Cause::NotRecorded, "offline: nobody is called"));
        };
        match self.provider.get_or_init(connect) {
            Ok(provider) => Ok(provider.as_ref()),
            Err(error) => Err(error.clone()),
        }
    }

    /// The recording of a request, if there is one.
    ///
    /// # Errors
    /// When the file is there but cannot be used.
    pub fn find(&self, request: &Request) -> Result<Option<Recording>, Error> {
        let address = request_address(request);
        let Some(answer) = self.read(&address)? else { return Ok(None) };
        Ok(Some(Recording { address, answer, is_replay: true }))
    }

    /// The answer to a request, kept or new. `heard` is told now and then how many bytes have come.
    ///
    /// # Errors
    /// As [`Provider::ask`]; offline when there is no recording; when a recording cannot be read or written.
    pub fn ask(&self, request: &Request, heard: &mut dyn FnMut(usize)) -> Result<Recording, Error> {
        if (!self.asks_anew || self.connect.is_none())
            && let Some(recording) = self.find(request)?
        {
            return Ok(recording);
        }
        let address = request_address(request);
        if self.connect.is_none() {
            let path = self.path(&address);
            return Err(Error::new(
                Cause::NotRecorded,
                format!("offline, and there is no recording {}", path.display()),
            )
            .help("a recording belongs to the exact words, files, model and version of the language: one of them has changed")
            .help("run once without `--offline`, where a model can be reached, and commit the recordings"));
        }
        let provider = self.provider()?;
        let answer = provider.ask(request, heard)?;
        self.write(&address, provider, request, &answer)?;
        Ok(Recording { address, answer, is_replay: false })
    }

    fn path(&self, address: &str) -> PathBuf {
        self.folder.join(format!("{address}.json"))
    }

    fn read(&self, address: &str) -> Result<Option<Answer>, Error> {
        let path = self.path(address);
        let damaged = |why: String| {
            Error::new(Cause::File, format!("the recording {} cannot be used: {why}", path.display()))
                .help("remove the file to ask again")
        };
        let metadata = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(damaged(error.to_string())),
            Ok(metadata) => metadata,
        };
        if !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
            return Err(damaged(format!("it is no file of at most {MAX_FILE_BYTES} bytes")));
        }
        let text = std::fs::read(&path).map_err(|error| damaged(error.to_string()))?;
        let kept: Kept = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if kept.recording != FORM {
            return Err(damaged(format!(
                "it has form {}, and this version reads form {FORM}",
                kept.recording
            )));
        }
        let input = kept.answer.call.as_ref().map_or(0, |call| call.input.to_string().len());
        if kept.answer.text.len() + input > 2 * MAX_ANSWER_BYTES {
            return Err(damaged("its answer is longer than any answer may be".into()));
        }
        Ok(Some(kept.answer))
    }

    fn write(
        &self,
        address: &str,
        provider: &dyn Provider,
        request: &Request,
        answer: &Answer,
    ) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::new(
                Cause::File,
                format!("the recording {} cannot be written: {error}", self.path(address).display()),
            )
            .help("choose another folder with `--recordings DIR`")
        };
        let mut request = json!(request);
        provider.secrets().hide_json(&mut request);
        let keep =
            Keep { recording: FORM, provider: provider.name(), place: provider.place(), request, answer };
        let text = serde_json::to_string_pretty(&keep).map_err(|error| failed(&error))? + "\n";
        std::fs::create_dir_all(&self.folder).map_err(|error| failed(&error))?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(|error| failed(&error))?;
        file.write_all(text.as_bytes()).map_err(|error| failed(&error))?;
        file.persist(self.path(address)).map_err(|error| failed(&error.error))?;
        Ok(())
    }
}

/// The content address of a request. The provider is no part of it.
fn request_address(request: &Request) -> String {
    address(&json!(request))
}
