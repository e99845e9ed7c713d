//! Endpoints that speak as OpenAI's `chat/completions`: Ollama, vLLM, llama.cpp and many more, most often on one's own
//! machine. The connections, and what is trusted of TLS, are those of the AWS SDK's client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{as_words, chain};
use crate::model::Pieces;
use crate::{Answer, Cause, Error, MAX_ANSWER_BYTES, Message, Provider, Request, Secrets, Stop, Usage};

/// Where the endpoint is, and how long an answer may take.
#[derive(Clone)]
pub struct Options {
    /// Address up to and without `/chat/completions`: `http://localhost:11434/v1`.
    pub endpoint: String,
    /// Key, if the endpoint wants one.
    pub key: Option<String>,
    /// Time for one answer, retries included.
    pub timeout: Duration,
    /// How often a request is sent at most.
    pub attempts: u32,
    /// Wait before the first retry; it doubles from one to the next, up to 20 s.
    pub backoff: Duration,
}

/// An endpoint.
pub struct OpenAi {
    runtime: Runtime,
    connector: Connector,
    options: Options,
    place: String,
    secrets: Secrets,
    /// Whether the endpoint was found to know no tools.
    no_tools: AtomicBool,
}

/// What is read of an answer at most: it has quotes, escapes and more around what it says.
const MAX_BODY_BYTES: usize = 4 * MAX_ANSWER_BYTES;

/// Why one attempt failed.
enum Fault {
    /// Another attempt may succeed, after this many seconds if the endpoint said so.
    Again(Error, Option<u64>),
    /// Nobody listens.
    Nobody(Error),
    NoTools(Error),
    Fatal(Error),
}

impl OpenAi {
    /// Gets ready; calls nobody yet.
    ///
    /// # Errors
    /// When the address is none, or a key would travel in the clear.
    pub fn connect(options: Options) -> Result<OpenAi, Error> {
        super::check_address(&options.endpoint, options.key.is_some())?;
        let mut secrets = Secrets::default();
        options.key.iter().for_each(|key| secrets.add(key));
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
        Ok(OpenAi {
            runtime: super::runtime()?,
            connector: Connector::builder().tls_provider(provider).build(),
            place: super::without_password(&options.endpoint),
            options,
            secrets,
            no_tools: AtomicBool::new(false),
        })
    }

    fn body(&self, request: &Request, with_tool: bool) -> Value {
        let mut messages = Vec::new();
        if !request.system.is_empty() {
            messages.push(json!({"role": "system", "content": request.system}));
        }
        if with_tool {
            messages.extend(request.messages.iter().map(message));
        } else {
            let words = as_words(&request.messages).into_iter();
            messages.extend(words.map(|(is_user, text)| {
                json!({"role": if is_user { "user" } else { "assistant" }, "content": text})
            }));
        }
        let mut body =
            json!({"model": request.model, "messages": messages, "max_tokens": request.max_tokens});
        if let Some(temperature) = request.temperature {
            body["temperature"] = json!(temperature);
        }
        if let Some(tool) = request.tool.as_ref().filter(|_| with_tool) {
            body["tools"] = json!([{
                "type": "function",
                "function": {"name": tool.name, "description": tool.about, "parameters": tool.schema},
            }]);
            body["tool_choice"] = json!({"type": "function", "function": {"name": tool.name}});
        }
        body
    }

    /// Sends once.
    async fn send(
        &self,
        request: &Request,
        with_tool: bool,
        heard: &mut dyn FnMut(usize),
    ) -> Result<Answer, Fault> {
        let url = format!("{}/chat/completions", self.options.endpoint.trim_end_matches('/'));
        let mut http = HttpRequest::new(SdkBody::from(self.body(request, with_tool).to_string()));
        let bad = |error: &dyn std::error::Error| {
            Fault::Fatal(Error::new(
                Cause::Setup,
                format!("{} cannot be called: {}", self.place, chain(error)),
            ))
        };
        http.set_method("POST").map_err(|error| bad(&error))?;
        http.set_uri(url).map_err(|error| bad(&error))?;
        http.headers_mut().insert("content-type", "application/json");
        if let Some(key) = &self.options.key {
            let value = format!("Bearer {key}");
            http.headers_mut().try_insert("authorization", value).map_err(|_| {
                Fault::Fatal(Error::new(Cause::Setup, "the API key has characters that no key has"))
            })?;
        }
        let unreachable = |error: &dyn std::error::Error| {
            super::unreachable(&self.place, &self.secrets.hide(&chain(error)))
        };
        let reply = self.connector.call(http).await.map_err(|error| Fault::Nobody(unreachable(&error)))?;
        let status = reply.status().as_u16();
        let wait = reply.headers().get("retry-after").and_then(|seconds| seconds.parse().ok());
        let mut body = reply.into_body();
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Fault::Again(unreachable(error.as_ref()), None))?;
            if let Ok(data) = frame.into_data() {
                bytes.extend_from_slice(&data);
            }
            heard(bytes.len());
            if bytes.len() > MAX_BODY_BYTES {
                let usage = Usage { input_tokens: request.tokens(), output_tokens: (bytes.len() / 4) as u64 };
                return Ok(Answer { text: String::new(), call: None, stop: Stop::TooLong, usage });
            }
        }
        if status == 200 {
            self.read(&bytes, request)
        } else {
            Err(self.fault(status, wait, &bytes, request))
        }
    }

    fn read(&self, bytes: &[u8], request: &Request) -> Result<Answer, Fault> {
        let bad = |what: &str| {
            let start: String = String::from_utf8_lossy(bytes).chars().take(200).collect();
            let words =
                format!("what {} sent is no answer: {what}: {}", self.place, self.secrets.hide(&start));
            Fault::Fatal(
                Error::new(Cause::BadAnswer, words).help("is it an endpoint with `/chat/completions`?"),
            )
        };
        let reply: Value = serde_json::from_slice(bytes).map_err(|error| bad(&error.to_string()))?;
        let choice = &reply["choices"][0];
        let message = choice["message"].as_object().ok_or_else(|| bad("it has no `choices[0].message`"))?;
        let mut pieces = Pieces::default();
        if let Some(text) = message.get("content").and_then(Value::as_str) {
            text.clone_into(&mut pieces.text);
        }
        let call = message.get("tool_calls").and_then(|calls| calls.get(0));
        if let Some(call) = call {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            pieces.call = Some((text(&call["id"]), text(&call["function"]["name"])));
            pieces.input = match &call["function"]["arguments"] {
                Value::String(arguments) => arguments.clone(),
                // Some endpoints give the object itself.
                other => other.to_string(),
            };
        }
        pieces.stop = Some(match choice["finish_reason"].as_str() {
            Some("length") => Stop::MaxTokens,
            Some("content_filter") => Stop::Filtered,
            _ => Stop::End,
        });
        let count = |key: &str| reply["usage"][key].as_u64();
        if let (Some(input_tokens), Some(output_tokens)) =
            (count("prompt_tokens"), count("completion_tokens"))
        {
            pieces.usage = Some(Usage { input_tokens, output_tokens });
        }
        Ok(pieces.finish(request, &self.secrets))
    }

    fn fault(&self, status: u16, wait: Option<u64>, bytes: &[u8], request: &Request) -> Fault {
        let reply: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let words = match (&reply["error"]["message"], &reply["error"]) {
            (Value::String(words), _) | (_, Value::String(words)) => words.clone(),
            _ => String::from_utf8_lossy(bytes).chars().take(300).collect(),
        };
        let words = self.secrets.hide(&words).into_owned();
        let (place, model) = (&self.place, &request.model);
        let error = |cause, text: String| Error::new(cause, text);
        match status {
            401 => Fault::Fatal(
                error(Cause::Expired, format!("{place} does not accept the API key: {words}")).help(
                    "set the key in the variable that `--api-key-env` names, OPENAI_API_KEY unless given",
                ),
            ),
            403 => Fault::Fatal(error(Cause::Denied, format!("{place} does not allow it: {words}"))),
            404 => Fault::Fatal(
                error(
                    Cause::UnknownModel,
                    format!("{place} knows no model `{model}`, or is no such endpoint: {words}"),
                )
                .help("the address ends before `/chat/completions`, most often with `/v1`")
                .help("Ollama: `ollama list` names the models, `ollama pull NAME` gets one"),
            ),
            400 | 422 if words.to_lowercase().contains("tool") => {
                Fault::NoTools(error(Cause::Refused, format!("{place} refused the request: {words}")))
            }
            429 => Fault::Again(
                error(
                    Cause::Throttled,
                    format!("{place} lets no more requests in, even after waiting: {words}"),
                )
                .help("wait a while and run the same command again: what was answered already is recorded"),
                wait,
            ),
            500..=599 => Fault::Again(
                error(Cause::Unreachable, format!("{place} is out of order at present ({status}): {words}")),
                wait,
            ),
            _ => Fault::Fatal(error(
                Cause::Refused,
                format!("{place} refused the request ({status}): {words}"),
            )),
        }
    }

    async fn converse(&self, request: &Request, heard: &mut dyn FnMut(usize)) -> Result<Answer, Error> {
        let mut with_tool = request.tool.is_some() && !self.no_tools.load(Ordering::Relaxed);
        let mut pause = self.options.backoff;
        let mut attempt = 1;
        loop {
            match self.send(request, with_tool, heard).await {
                Ok(answer) => return Ok(answer),
                Err(Fault::NoTools(_)) if with_tool => {
                    self.no_tools.store(true, Ordering::Relaxed);
                    with_tool = false;
                }
                Err(Fault::Again(error, wait)) => {
                    if attempt >= self.options.attempts {
                        return Err(error);
                    }
                    attempt += 1;
                    tokio::time::sleep(wait.map_or(pause, Duration::from_secs)).await;
                    pause = (pause * 2).min(Duration::from_secs(20));
                }
                // It may have been started a moment ago, but will not be in a minute.
                Err(Fault::Nobody(_)) if attempt == 1 && self.options.attempts > 1 => {
                    attempt += 1;
                    tokio::time::sleep(pause).await;
                }
                Err(Fault::NoTools(error) | Fault::Nobody(error) | Fault::Fatal(error)) => return Err(error),
            }
        }
    }
}

impl Provider for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn place(&self) -> String {
        self.place.clone()
    }

    fn ask(&self, request: &Request, heard: &mut dyn FnMut(usize)) -> Result<Answer, Error> {
        self.runtime.block_on(async {
            match tokio::time::timeout(self.options.timeout, self.converse(request, heard)).await {
                Ok(result) => result,
                Err(_) => Err(super::timed_out(&self.place, self.options.timeout)),
            }
        })
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

fn message(message: &Message) -> Value {
    match message {
        Message::User { text, answers: None } => json!({"role": "user", "content": text}),
        Message::User { text, answers: Some(id) } => {
            json!({"role": "tool", "tool_call_id": id, "content": text})
        }
        Message::Assistant { text, call: None } => json!({"role": "assistant", "content": text}),
        Message::Assistant { text, call: Some(call) } => json!({
            "role": "assistant",
            "content": text,
            "tool_calls": [{
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.input.to_string()},
            }],
        }),
    }
}
