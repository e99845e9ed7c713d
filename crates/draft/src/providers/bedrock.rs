//! Amazon Bedrock, through the Converse API of the AWS SDK.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_bedrockruntime::Client;
use aws_sdk_bedrockruntime::config::{Credentials, ProvideCredentials};
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError as StreamError;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ContentBlockStart, ConversationRole, ConverseStreamOutput,
    InferenceConfiguration, Message as Turn, SpecificToolChoice, StopReason, SystemContentBlock, TokenUsage,
    Tool as BedrockTool, ToolChoice, ToolConfiguration, ToolInputSchema, ToolResultBlock,
    ToolResultContentBlock, ToolSpecification, ToolUseBlock,
};
use aws_smithy_types::{Document, Number};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{as_words, chain};
use crate::model::Pieces;
use crate::{Answer, Cause, Error, Message, Provider, Request, Secrets, Stop, Tool, Usage};

/// Credentials of AWS.
#[derive(Clone)]
pub struct Keys {
    /// Id of the access key.
    pub id: String,
    /// The key.
    pub secret: String,
    /// Token of the session, for keys that end with one.
    pub session: Option<String>,
}

/// Where Bedrock is, who asks, and how long an answer may take.
#[derive(Clone)]
pub struct Options {
    /// Region; unless given, that of the environment or the profile.
    pub region: Option<String>,
    /// Profile of the AWS configuration; unless given, that of the environment.
    pub profile: Option<String>,
    /// Another address than the region's.
    pub endpoint: Option<String>,
    /// Credentials, for programs that have them already; unless given, they are found.
    pub keys: Option<Keys>,
    /// Time for one answer, retries included.
    pub timeout: Duration,
    /// How often a request is sent at most.
    pub attempts: u32,
    /// Wait before the first retry, at most; it doubles from one to the next, up to 20 s.
    pub backoff: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            region: None,
            profile: None,
            endpoint: None,
            keys: None,
            timeout: Duration::from_secs(300),
            attempts: 5,
            backoff: Duration::from_secs(1),
        }
    }
}

/// Bedrock in a region.
pub struct Bedrock {
    runtime: Runtime,
    client: Client,
    place: String,
    timeout: Duration,
    secrets: Secrets,
    /// The richest way of asking that the model was found to know, as a number of [`WAYS`].
    way: AtomicU8,
}

/// A way of asking. Not every model knows tools, and not every one that does knows them in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A stream of pieces, the answer as the input of a tool. A stream has that input as the model wrote it; a whole
    /// answer has lost the order of its keys.
    StreamWithTool,
    /// A stream of pieces, the answer as words.
    Stream,
    /// A whole answer, as words.
    Whole,
}

/// From the richest to the poorest.
const WAYS: [Way; 3] = [Way::StreamWithTool, Way::Stream, Way::Whole];

/// Why one way of asking failed.
enum Fault {
    /// The model knows no tools, at least in a stream.
    NoTools,
    /// The model knows no streams, or the credentials do not allow them.
    NoStream(Error),
    /// Another way would fail as well.
    Fatal(Error),
}

/// The API key that stands for credentials.
const BEARER: &str = "AWS_BEARER_TOKEN_BEDROCK";

impl Bedrock {
    /// Finds region and credentials as all AWS tools do: the environment, the files under `~/.aws`, `aws sso login`, a
    /// program that gives them, the machine's role. Calls nobody but those who give credentials.
    ///
    /// # Errors
    /// When there is no region or there are no credentials.
    pub fn connect(options: &Options) -> Result<Bedrock, Error> {
        let runtime = super::runtime()?;
        let retry = RetryConfig::standard()
            .with_max_attempts(options.attempts.max(1))
            .with_initial_backoff(options.backoff)
            .with_max_backoff(Duration::from_secs(20));
        let connect =
            TimeoutConfig::builder().connect_timeout(options.timeout.min(Duration::from_secs(10))).build();
        let mut loader =
            aws_config::defaults(BehaviorVersion::latest()).retry_config(retry).timeout_config(connect);
        if let Some(Keys { id, secret, session }) = options.keys.clone() {
            loader = loader.credentials_provider(Credentials::new(id, secret, session, None, "given"));
        }
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &options.endpoint {
            super::check_address(endpoint, std::env::var_os(BEARER).is_some())?;
            loader = loader.endpoint_url(endpoint);
        }
        let mut secrets = Secrets::default();
        let config = runtime.block_on(loader.load());
        let bearer = std::env::var(BEARER).ok().filter(|token| !token.is_empty() && options.keys.is_none());
        match (&bearer, config.credentials_provider()) {
            (Some(token), _) => secrets.add(token),
            (None, None) => return Err(no_credentials("no source of credentials is configured")),
            (None, Some(provider)) => {
                let credentials = runtime.block_on(provider.provide_credentials());
                let credentials = credentials.map_err(|error| no_credentials(&chain(&error)))?;
                secrets.add(credentials.access_key_id());
                secrets.add(credentials.secret_access_key());
                credentials.session_token().into_iter().for_each(|token| secrets.add(token));
            }
        }
        let mut builder = aws_sdk_bedrockruntime::config::Builder::from(&config);
        let place = match (&options.endpoint, config.region()) {
            (Some(endpoint), region) => {
                // The region is only in the signature then; an endpoint of one's own does not care.
                if region.is_none() {
                    builder = builder.region(Region::from_static("us-east-1"));
                }
                super::without_password(endpoint)
            }
            (None, Some(region)) => region.to_string(),
            (None, None) => {
                return Err(Error::new(Cause::Setup, "no AWS region is set")
                    .help("say `--region us-east-1`, set AWS_REGION, or write `region` into the profile (`aws configure`)"));
            }
        };
        let client = Client::from_conf(builder.build());
        Ok(Bedrock { runtime, client, place, timeout: options.timeout, secrets, way: AtomicU8::new(0) })
    }

    /// Asks in one way.
    async fn ask_in(
        &self,
        way: Way,
        request: &Request,
        heard: &mut dyn FnMut(usize),
    ) -> Result<Answer, Fault> {
        let tool = request.tool.as_ref().filter(|_| way == Way::StreamWithTool);
        let turns = turns(request, tool.is_some()).map_err(Fault::Fatal)?;
        // The service takes no empty text.
        let system = Some(request.system.clone()).filter(|system| !system.is_empty());
        let system = system.map(|system| vec![SystemContentBlock::Text(system)]);
        let max_tokens = i32::try_from(request.max_tokens).unwrap_or(i32::MAX);
        let inference = InferenceConfiguration::builder()
            .max_tokens(max_tokens)
            .set_temperature(request.temperature.map(|temperature| temperature as f32))
            .build();
        let mut pieces = Pieces::default();
        if way == Way::Whole {
            let call = self.client.converse().model_id(&request.model).set_messages(Some(turns));
            let reply = call.set_system(system).inference_config(inference).send().await;
            let reply = reply.map_err(|error| self.fault(error, request))?;
            pieces.stop = stop(reply.stop_reason());
            pieces.usage = reply.usage().map(usage);
            let message = reply.output().and_then(|output| output.as_message().ok());
            for block in message.map(|message| message.content()).unwrap_or_default() {
                if let ContentBlock::Text(text) = block {
                    pieces.text.push_str(text);
                }
            }
            heard(pieces.bytes());
            return Ok(pieces.finish(request, &self.secrets));
        }
        let tools = tool.map(tool_configuration).transpose().map_err(Fault::Fatal)?;
        let call = self.client.converse_stream().model_id(&request.model).set_messages(Some(turns));
        let call = call.set_system(system).inference_config(inference).set_tool_config(tools);
        let mut stream = call.send().await.map_err(|error| self.fault(error, request))?.stream;
        while let Some(event) = stream.recv().await.map_err(|error| self.stream_fault(error, request))? {
            match event {
                ConverseStreamOutput::ContentBlockStart(event) => {
                    // Only the first call counts; there is but one tool.
                    if let Some(ContentBlockStart::ToolUse(start)) = event.start
                        && pieces.call.is_none()
                    {
                        pieces.call = Some((start.tool_use_id, start.name));
                    }
                }
                ConverseStreamOutput::ContentBlockDelta(event) => match event.delta {
                    Some(ContentBlockDelta::Text(text)) => pieces.text.push_str(&text),
                    Some(ContentBlockDelta::ToolUse(delta)) => pieces.input.push_str(delta.input()),
                    _ => {}
                },
                ConverseStreamOutput::MessageStop(event) => pieces.stop = stop(&event.stop_reason),
                ConverseStreamOutput::Metadata(event) => pieces.usage = event.usage.as_ref().map(usage),
                _ => {}
            }
            heard(pieces.bytes());
            if pieces.is_too_long() {
                // Nothing more is read; dropping the stream closes the connection.
                break;
            }
        }
        if pieces.stop.is_none() && !pieces.is_too_long() {
            return Err(Fault::Fatal(Error::new(
                Cause::BadAnswer,
                "the answer broke off: the stream ended before the service said that the message was complete",
            )));
        }
        Ok(pieces.finish(request, &self.secrets))
    }

    /// What an error of the SDK means for the user.
    fn fault<E, R>(&self, error: SdkError<E, R>, request: &Request) -> Fault
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug + 'static,
    {
        let model = &request.model;
        let error = match &error {
            SdkError::ServiceError(service) => {
                let error = service.err();
                let words = self.secrets.hide(error.message().unwrap_or("it gave no reason")).into_owned();
                return self.service_fault(error.code().unwrap_or("unknown"), &words, model);
            }
            SdkError::TimeoutError(_) => super::timed_out(&self.place, self.timeout),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                super::timed_out(&self.place, self.timeout)
            }
            SdkError::DispatchFailure(_) => {
                super::unreachable(&self.place, &self.secrets.hide(&chain(&error)))
            }
            SdkError::ConstructionFailure(_) => no_credentials(&self.secrets.hide(&chain(&error))),
            _ => Error::new(
                Cause::BadAnswer,
                format!("what {} sent cannot be read: {}", self.place, self.secrets.hide(&chain(&error))),
            )
            .help("is it really an endpoint of Bedrock?"),
        };
        Fault::Fatal(error)
    }

    /// What an exception in a stream means: unlike an error before it, it has a type but no code.
    fn stream_fault<R>(&self, error: SdkError<StreamError, R>, request: &Request) -> Fault
    where
        R: std::fmt::Debug + 'static,
    {
        let code = match error.as_service_error() {
            Some(StreamError::ThrottlingException(_)) => "ThrottlingException",
            Some(StreamError::ValidationException(_)) => "ValidationException",
            Some(StreamError::InternalServerException(_)) => "InternalServerException",
            Some(StreamError::ModelStreamErrorException(_)) => "ModelStreamErrorException",
            Some(StreamError::ServiceUnavailableException(_)) => "ServiceUnavailableException",
            _ => return self.fault(error, request),
        };
        let words = error.as_service_error().and_then(|error| error.message()).unwrap_or("it gave no reason");
        self.service_fault(code, &self.secrets.hide(words), &request.model)
    }

    fn service_fault(&self, code: &str, words: &str, model: &str) -> Fault {
        let lower = words.to_lowercase();
        let place = &self.place;
        let error = match code {
            "AccessDeniedException" if lower.contains("model") && lower.contains("access") && !lower.contains("authorized") => {
                Error::new(Cause::Denied, format!("this account has no access to the model `{model}`: {words}"))
                    .help("ask for access to the model in the Bedrock console, under Model access, in the same region")
            }
            "AccessDeniedException" => {
                // Streams need a permission of their own; without it, a whole answer may still be allowed.
                return Fault::NoStream(
                    Error::new(Cause::Denied, format!("you may not use the model `{model}` in {place}: {words}"))
                        .help(
                            "the permission `bedrock:InvokeModel` is missing (and \
                             `bedrock:InvokeModelWithResponseStream`, to see progress)",
                        )
                        .help(format!("ask for a policy such as {}", policy(model)))
                        .help("models of some makers must first be enabled in the Bedrock console, under Model access"),
                );
            }
            "ResourceNotFoundException" => unknown_model(model, place, words),
            "ValidationException" if lower.contains("model identifier") || lower.contains("on-demand throughput") => {
                unknown_model(model, place, words)
            }
            "ValidationException" if lower.contains("tool") => return Fault::NoTools,
            "ValidationException" if lower.contains("stream") => {
                return Fault::NoStream(Error::new(Cause::Refused, format!("{place} refused the request: {words}")));
            }
            "ExpiredTokenException" | "ExpiredToken" => {
                Error::new(Cause::Expired, format!("your AWS credentials have expired: {words}"))
                    .help("get new ones: `aws sso login`, or however you got these")
            }
            "UnrecognizedClientException" | "InvalidClientTokenId" | "InvalidSignatureException"
            | "MissingAuthenticationTokenException" | "IncompleteSignature" => {
                Error::new(Cause::Expired, format!("AWS does not accept your credentials ({code}): {words}"))
                    .help("`aws sts get-caller-identity` shows whose they are, and whether they work at all")
                    .help("a clock that is wrong by more than five minutes makes signatures invalid, too")
            }
            "ThrottlingException" | "TooManyRequestsException" | "ServiceQuotaExceededException" => {
                Error::new(Cause::Throttled, format!("{place} lets no more requests in, even after waiting: {words}"))
                    .help("wait a minute and run the same command again: what was answered already is recorded")
                    .help("an inference profile (`us.…`, `global.…`) has larger quotas than one region")
            }
            "ModelTimeoutException" => super::timed_out(place, self.timeout),
            "ModelNotReadyException" | "ServiceUnavailableException" | "InternalServerException"
            | "ModelErrorException" | "ModelStreamErrorException" => {
                Error::new(Cause::Unreachable, format!("{place} is out of order at present ({code}): {words}"))
                    .help("run the same command again in a while, or choose another model with `--model`")
            }
            _ => Error::new(Cause::Refused, format!("{place} refused the request ({code}): {words}")),
        };
        Fault::Fatal(error)
    }
}

impl Provider for Bedrock {
    fn name(&self) -> &'static str {
        "bedrock"
    }

    fn place(&self) -> String {
        self.place.clone()
    }

    fn ask(&self, request: &Request, heard: &mut dyn FnMut(usize)) -> Result<Answer, Error> {
        let from = usize::from(self.way.load(Ordering::Relaxed));
        let from = if request.tool.is_none() { from.max(1) } else { from };
        let work = async {
            let mut first = None;
            for (at, way) in WAYS.iter().enumerate().skip(from) {
                if first.is_some() && *way != Way::Whole {
                    continue;
                }
                match self.ask_in(*way, request, heard).await {
                    Ok(answer) => {
                        // Who was not asked for the tool has not shown that the model knows none.
                        if request.tool.is_some() || *way == Way::Whole {
                            self.way.fetch_max(at as u8, Ordering::Relaxed);
                        }
                        return Ok(answer);
                    }
                    Err(Fault::NoTools) => {}
                    // Said of the stream; if the whole answer is refused too, the first words are the better ones.
                    Err(Fault::NoStream(error)) => first = first.or(Some(error)),
                    Err(Fault::Fatal(error)) => return Err(first.unwrap_or(error)),
                }
            }
            Err(first.unwrap_or_else(|| {
                Error::new(Cause::Refused, format!("{} refuses the request because of its tools", self.place))
            }))
        };
        self.runtime.block_on(async {
            match tokio::time::timeout(self.timeout, work).await {
                Ok(result) => result,
                Err(_) => Err(super::timed_out(&self.place, self.timeout)),
            }
        })
    }

    fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

fn no_credentials(why: &str) -> Error {
    // The chain lists every place that it looked at, in a line each.
    let why =
        why.lines().next().unwrap_or_default().trim_end_matches("Attempted:").trim_end_matches(['.', ' ']);
    Error::new(Cause::Setup, format!("no AWS credentials were found: {why}"))
        .help("`aws configure sso` and `aws sso login`, or `aws configure`; then choose with `--profile` or AWS_PROFILE")
        .help(format!("or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or {BEARER} with an API key of Bedrock"))
}

fn unknown_model(model: &str, place: &str, words: &str) -> Error {
    Error::new(Cause::UnknownModel, format!("there is no model `{model}` in {place}: {words}"))
        .help("`aws bedrock list-foundation-models` and `aws bedrock list-inference-profiles` list what there is in a region")
        .help("newer models are only had through an inference profile: their id begins with `us.`, `eu.`, `global.`, …")
}

/// A policy that allows the model, on one line.
fn policy(model: &str) -> String {
    let resource = if model.starts_with("arn:") {
        format!("\"{model}\"")
    } else {
        // A profile calls a model in other regions, so both are needed.
        let base =
            model.split_once('.').map(|(_, rest)| rest).filter(|rest| rest.contains('.')).unwrap_or(model);
        format!(
            "[\"arn:aws:bedrock:*::foundation-model/{base}\", \"arn:aws:bedrock:*:*:inference-profile/{model}\"]"
        )
    };
    format!(
        "{{\"Effect\": \"Allow\", \"Action\": [\"bedrock:InvokeModel\", \
         \"bedrock:InvokeModelWithResponseStream\"], \"Resource\": {resource}}}"
    )
}

fn stop(reason: &StopReason) -> Option<Stop> {
    Some(match reason {
        StopReason::MaxTokens | StopReason::ModelContextWindowExceeded => Stop::MaxTokens,
        StopReason::GuardrailIntervened | StopReason::ContentFiltered => Stop::Filtered,
        _ => Stop::End,
    })
}

fn usage(usage: &TokenUsage) -> Usage {
    let count = |tokens: i32| u64::try_from(tokens).unwrap_or(0);
    Usage { input_tokens: count(usage.input_tokens()), output_tokens: count(usage.output_tokens()) }
}

/// A request that the SDK's own checks refuse.
fn unbuilt(error: impl std::error::Error) -> Error {
    Error::new(Cause::Refused, format!("the request cannot be built: {error}"))
}

fn turns(request: &Request, with_tool: bool) -> Result<Vec<Turn>, Error> {
    let turn = |role: ConversationRole, blocks: Vec<ContentBlock>| {
        Turn::builder().role(role).set_content(Some(blocks)).build().map_err(unbuilt)
    };
    if !with_tool {
        return as_words(&request.messages)
            .into_iter()
            .map(|(is_user, text)| {
                let role = if is_user { ConversationRole::User } else { ConversationRole::Assistant };
                turn(role, vec![ContentBlock::Text(text)])
            })
            .collect();
    }
    let turns = request.messages.iter().map(|message| match message {
        Message::User { text, answers: None } => {
            turn(ConversationRole::User, vec![ContentBlock::Text(text.clone())])
        }
        Message::User { text, answers: Some(id) } => {
            let result = ToolResultBlock::builder()
                .tool_use_id(id)
                .content(ToolResultContentBlock::Text(text.clone()))
                .build()
                .map_err(unbuilt)?;
            turn(ConversationRole::User, vec![ContentBlock::ToolResult(result)])
        }
        Message::Assistant { text, call } => {
            let mut blocks = Vec::new();
            // Bedrock refuses blocks without text.
            if !text.trim().is_empty() {
                blocks.push(ContentBlock::Text(text.clone()));
            }
            if let Some(call) = call {
                let block = ToolUseBlock::builder()
                    .tool_use_id(&call.id)
                    .name(&call.name)
                    .input(document(&call.input))
                    .build()
                    .map_err(unbuilt)?;
                blocks.push(ContentBlock::ToolUse(block));
            }
            turn(ConversationRole::Assistant, blocks)
        }
    });
    turns.collect()
}

fn tool_configuration(tool: &Tool) -> Result<ToolConfiguration, Error> {
    let specification = ToolSpecification::builder()
        .name(&tool.name)
        .description(&tool.about)
        .input_schema(ToolInputSchema::Json(document(&tool.schema)))
        .build()
        .map_err(unbuilt)?;
    let choice = SpecificToolChoice::builder().name(&tool.name).build().map_err(unbuilt)?;
    ToolConfiguration::builder()
        .tools(BedrockTool::ToolSpec(specification))
        .tool_choice(ToolChoice::Tool(choice))
        .build()
        .map_err(unbuilt)
}

fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(value) => Document::Bool(*value),
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Number::PosInt(number),
            (None, Some(number)) => Number::NegInt(number),
            (None, None) => Number::Float(number.as_f64().unwrap_or(0.0)),
        }),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(items) => Document::Array(items.iter().map(document).collect()),
        Value::Object(object) => {
            let entries: HashMap<String, Document> =
                object.iter().map(|(key, value)| (key.clone(), document(value))).collect();
            Document::Object(entries)
        }
    }
}
