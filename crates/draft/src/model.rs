use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Secrets};

/// An answer longer than this is cut off and not used, in bytes.
pub const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Somebody who can be asked: one service, with what it takes to reach it. One file each in [`crate::providers`].
pub trait Provider: Send + Sync {
    /// Name of the provider, which also names the folder of its recordings: `bedrock`.
    fn name(&self) -> &'static str;

    /// Where requests go, for the user and the recordings: a region, or an address without user and password.
    fn place(&self) -> String;

    /// Asks. Retries where that makes sense, within the time that the provider was given; an endpoint that knows no tools
    /// or no streams is asked without them. `heard` is told now and then how many bytes have come.
    ///
    /// # Errors
    /// When no answer can be had. An answer that is too long or was cut short is none: [`Answer::stop`] says so.
    fn ask(&self, request: &Request, heard: &mut dyn FnMut(usize)) -> Result<Answer, Error>;

    /// What must never be recorded or shown.
    fn secrets(&self) -> &Secrets;
}

/// What a model is asked. Equal requests have equal recordings, wherever they were sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Request {
    /// Id of the model, or of an inference profile.
    pub model: String,
    /// Who the model is, and the rules it has to keep.
    pub system: String,
    /// The conversation: begins and ends with the user, and alternates.
    pub messages: Vec<Message>,
    /// The one tool that the model is to use, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
    /// At most this many tokens of answer.
    pub max_tokens: u32,
    /// From 0, nearly always the same, to 1; left to the model unless given, as some models know none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
}

impl Request {
    /// About how many tokens the request has: see [`tokens`].
    pub fn tokens(&self) -> u64 {
        let messages: u64 = self.messages.iter().map(Message::tokens).sum();
        let tool = self.tool.as_ref().map_or(0, |tool| tokens(&tool.schema.to_string()));
        tokens(&self.system) + messages + tool
    }
}

/// About how many tokens a text has: one for every four bytes. Models differ; no bill is computed from this.
pub fn tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}

/// A turn of the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// The user's.
    User {
        /// The words.
        text: String,
        /// The id of the call that they answer, if the turn before was a call.
        #[serde(skip_serializing_if = "Option::is_none")]
        answers: Option<String>,
    },
    /// The model's.
    Assistant {
        /// The words.
        text: String,
        /// The call.
        #[serde(skip_serializing_if = "Option::is_none")]
        call: Option<Call>,
    },
}

impl Message {
    fn tokens(&self) -> u64 {
        match self {
            Message::User { text, .. } => tokens(text),
            Message::Assistant { text, call } => {
                tokens(text) + call.as_ref().map_or(0, |call| tokens(&call.input.to_string()))
            }
        }
    }
}

/// A tool: the form in which an answer is wanted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tool {
    /// Name: letters, digits and `_`.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// JSON Schema of its input.
    pub schema: Value,
}

/// The model's use of the tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Id that the service gave the call.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// The input, with keys in the order of the model.
    pub input: Value,
}

/// What a model answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Its words.
    pub text: String,
    /// Its use of the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
    /// Why it ended.
    pub stop: Stop,
    /// What it took.
    pub usage: Usage,
}

/// Why an answer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It was complete.
    End,
    /// The limit of tokens, or of the model's memory, was reached.
    MaxTokens,
    /// It was longer than [`MAX_ANSWER_BYTES`]; text and call were thrown away.
    TooLong,
    /// The service held it back: a guardrail, or a filter of contents.
    Filtered,
}

/// Tokens as the service counted them; estimated where it did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
}

impl Usage {
    /// Both together.
    pub fn total(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
    }
}

/// Puts an answer together from its pieces, as they come.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pub text: String,
    pub call: Option<(String, String)>,
    pub input: String,
    pub stop: Option<Stop>,
    pub usage: Option<Usage>,
}

impl Pieces {
    /// Bytes so far.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.input.len()
    }

    /// Whether that is more than an answer may have.
    pub fn is_too_long(&self) -> bool {
        self.bytes() > MAX_ANSWER_BYTES
    }

    /// The answer, without secrets.
    pub fn finish(self, request: &Request, secrets: &Secrets) -> Answer {
        let heard = (self.bytes() as u64).div_ceil(4);
        let usage = self.usage.unwrap_or(Usage { input_tokens: request.tokens(), output_tokens: heard });
        if self.bytes() > MAX_ANSWER_BYTES {
            return Answer { text: String::new(), call: None, stop: Stop::TooLong, usage };
        }
        let mut stop = self.stop.unwrap_or(Stop::End);
        let mut text = self.text;
        let call = self.call.and_then(|(id, name)| match serde_json::from_str(&self.input) {
            Ok(mut input) => {
                secrets.hide_json(&mut input);
                Some(Call { id, name, input })
            }
            Err(_) => {
                // A call that is cut off, or no JSON: kept as words, so that the model can be told.
                if stop == Stop::End && !self.input.trim_end().ends_with('}') {
                    stop = Stop::MaxTokens;
                }
                text.push_str(&self.input);
                None
            }
        });
        Answer { text: secrets.hide(&text).into_owned(), call, stop, usage }
    }
}
