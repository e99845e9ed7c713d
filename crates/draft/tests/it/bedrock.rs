//! The SDK's client against the wire form of Converse and ConverseStream.

use std::time::{Duration, Instant};

use lookalike_draft::providers::Bedrock;
use lookalike_draft::providers::bedrock::{Keys, Options};
use lookalike_draft::{Answer, Call, Cause, Error, Message, Provider as _, Stop, Usage};
use serde_json::json;

use super::request;
use super::server::{Reply, Server, exception, frame};

const ID: &str = "AKIAMARKERMARKER1234";
const SECRET: &str = "marker/secret+access/key/0123456789abcd";
const SESSION: &str = "marker-session-token";

fn bedrock(server: &Server) -> Bedrock {
    with(server, |_| {})
}

fn with(server: &Server, change: impl FnOnce(&mut Options)) -> Bedrock {
    let keys = Keys { id: ID.into(), secret: SECRET.into(), session: Some(SESSION.into()) };
    let mut options = Options {
        region: Some("eu-west-1".into()),
        endpoint: Some(server.address.clone()),
        keys: Some(keys),
        backoff: Duration::from_millis(5),
        ..Options::default()
    };
    change(&mut options);
    Bedrock::connect(&options).unwrap()
}

fn failure(replies: Vec<Reply>) -> (Error, usize) {
    let server = Server::with(replies);
    let error = bedrock(&server).ask(&request(), &mut |_| {}).unwrap_err();
    (error, server.heard().len())
}

#[test]
fn the_tool_is_used_through_a_stream_and_keys_keep_their_order() {
    let server = Server::with(vec![Reply::stream(
        "Here.",
        Some(r#"{"z": 1, "a": {"y": 2, "b": "é"}}"#),
        "tool_use",
        3,
    )]);
    let mut heard = Vec::new();
    let answer = bedrock(&server).ask(&request(), &mut |bytes| heard.push(bytes)).unwrap();
    let input = json!({"z": 1, "a": {"y": 2, "b": "é"}});
    assert_eq!(answer.call.as_ref().unwrap().input.to_string(), input.to_string());
    let call = Call { id: "call-1".into(), name: "write_ruleset".into(), input };
    let usage = Usage { input_tokens: 11, output_tokens: 7 };
    assert_eq!(answer, Answer { text: "Here.".into(), call: Some(call), stop: Stop::End, usage });
    assert!(heard.windows(2).all(|pair| pair[0] <= pair[1]) && heard.len() > 10, "{heard:?}");

    let sent = &server.heard()[0];
    assert_eq!(sent.line, "POST /model/m/converse-stream");
    assert!(
        sent.headers.contains("AWS4-HMAC-SHA256") && sent.headers.contains("/eu-west-1/bedrock/"),
        "{sent:?}"
    );
    let body = sent.json();
    assert_eq!(body["system"], json!([{"text": "Be brief."}]));
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 500}));
    let tool = &body["toolConfig"];
    assert_eq!(tool["toolChoice"], json!({"tool": {"name": "write_ruleset"}}));
    assert_eq!(tool["tools"][0]["toolSpec"]["inputSchema"]["json"], request().tool.unwrap().schema);
}

#[test]
fn a_conversation_has_calls_and_their_results() {
    let server = Server::with(vec![Reply::tool(&json!({"lookalike": 1}))]);
    let mut request = request();
    let call = Call {
        id: "call-7".into(),
        name: "write_ruleset".into(),
        input: json!({"a": [1, -2, 0.5, null, true]}),
    };
    request.messages.push(Message::Assistant { text: String::new(), call: Some(call) });
    request.messages.push(Message::User { text: "wrong".into(), answers: Some("call-7".into()) });
    bedrock(&server).ask(&request, &mut |_| {}).unwrap();
    let messages = server.heard()[0].json()["messages"].clone();
    assert_eq!(
        messages[1]["content"],
        json!([{"toolUse": {
            "toolUseId": "call-7", "name": "write_ruleset", "input": {"a": [1, -2, 0.5, null, true]},
        }}])
    );
    let result = json!([{"toolResult": {"toolUseId": "call-7", "content": [{"text": "wrong"}]}}]);
    assert_eq!(messages[2], json!({"role": "user", "content": result}));
}

#[test]
fn models_without_tools_or_streams_are_asked_in_words() {
    let server = Server::with(vec![
        Reply::error(400, "ValidationException", "This model doesn't support tool use in streaming mode."),
        Reply::error(400, "ValidationException", "The model is unsupported for streaming."),
        Reply::converse("In words."),
    ]);
    let bedrock = bedrock(&server);
    let answer = bedrock.ask(&request(), &mut |_| {}).unwrap();
    assert_eq!((answer.text.as_str(), answer.call), ("In words.", None));
    let lines: Vec<String> = server.heard().into_iter().map(|heard| heard.line).collect();
    assert_eq!(
        lines,
        ["POST /model/m/converse-stream", "POST /model/m/converse-stream", "POST /model/m/converse"]
    );
    assert!(server.heard()[2].json().get("toolConfig").is_none());
    // What was learnt is not learnt again.
    bedrock.ask(&request(), &mut |_| {}).unwrap();
    assert_eq!(server.heard()[3].line, "POST /model/m/converse");
    assert_eq!(server.heard().len(), 4);
}

#[test]
fn a_request_in_words_does_not_forget_the_tool() {
    let server = Server::with(vec![Reply::stream("Hello.", None, "end_turn", 9)]);
    let bedrock = bedrock(&server);
    let mut words = request();
    words.tool = None;
    bedrock.ask(&words, &mut |_| {}).unwrap();
    bedrock.ask(&request(), &mut |_| {}).unwrap();
    let asked: Vec<bool> =
        server.heard().iter().map(|heard| heard.json().get("toolConfig").is_some()).collect();
    assert_eq!(asked, [false, true]);
}

#[test]
fn throttled_twice_then_fine() {
    let throttled = Reply::error(429, "ThrottlingException", "Too many requests, please wait.");
    let server = Server::with(vec![throttled.clone(), throttled, Reply::tool(&json!({"lookalike": 1}))]);
    let answer = bedrock(&server).ask(&request(), &mut |_| {}).unwrap();
    assert_eq!(answer.call.unwrap().input, json!({"lookalike": 1}));
    let heard = server.heard();
    assert_eq!(heard.len(), 3);
    assert_eq!(heard[0].json(), heard[2].json());
}

#[test]
fn throttled_for_ever() {
    let (error, requests) = failure(vec![Reply::error(429, "ThrottlingException", "Too many tokens.")]);
    assert_eq!((error.cause, requests), (Cause::Throttled, 5));
    assert!(error.help[0].contains("recorded"), "{error:?}");
}

#[test]
fn access_denied_names_the_permission_and_a_policy() {
    let words = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: bedrock:InvokeModelWithResponseStream";
    let (error, requests) = failure(vec![Reply::error(403, "AccessDeniedException", words)]);
    assert_eq!(error.cause, Cause::Denied);
    assert!(error.message.contains(words), "{error:?}");
    let help = error.help.join("\n");
    assert!(help.contains("`bedrock:InvokeModel`") && help.contains(r#""Effect": "Allow""#), "{help}");
    // The whole answer needs another permission than the stream, so it was tried.
    assert_eq!(requests, 2);
}

#[test]
fn who_may_not_stream_may_still_ask() {
    let server = Server::with(vec![
        Reply::error(
            403,
            "AccessDeniedException",
            "not authorized to perform: bedrock:InvokeModelWithResponseStream",
        ),
        Reply::converse("lookalike: 1"),
    ]);
    assert_eq!(bedrock(&server).ask(&request(), &mut |_| {}).unwrap().text, "lookalike: 1");
}

#[test]
fn errors_say_what_to_do() {
    for (status, code, message, cause, help) in [
        (
            404,
            "ResourceNotFoundException",
            "Could not resolve the foundation model",
            Cause::UnknownModel,
            "list-inference-profiles",
        ),
        (
            400,
            "ValidationException",
            "The provided model identifier is invalid.",
            Cause::UnknownModel,
            "list-foundation-models",
        ),
        (
            400,
            "ValidationException",
            "Invocation of model ID m with on-demand throughput isn’t supported.",
            Cause::UnknownModel,
            "inference profile",
        ),
        (
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            Cause::Denied,
            "Model access",
        ),
        (
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            Cause::Expired,
            "aws sso login",
        ),
        (
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            Cause::Expired,
            "get-caller-identity",
        ),
        (403, "InvalidSignatureException", "Signature expired", Cause::Expired, "clock"),
        (400, "ValidationException", "max_tokens is too large", Cause::Refused, ""),
    ] {
        let (error, requests) = failure(vec![Reply::error(status, code, message)]);
        assert_eq!(error.cause, cause, "{code}: {error:?}");
        assert!(error.help.join("\n").contains(help), "{code}: {error:?}");
        assert!(error.message.contains(message), "{code}: {error:?}");
        assert_eq!(requests, 1, "{code} is tried once");
    }
}

#[test]
fn a_service_that_fails_is_tried_again() {
    let (error, requests) = failure(vec![Reply::error(503, "ServiceUnavailableException", "later")]);
    assert_eq!((error.cause, requests), (Cause::Unreachable, 5));
}

#[test]
fn time_runs_out() {
    let server = Server::with(vec![Reply::tool(&json!({})).after(Duration::from_secs(30))]);
    let started = Instant::now();
    let error = with(&server, |options| options.timeout = Duration::from_millis(300));
    let error = error.ask(&request(), &mut |_| {}).unwrap_err();
    assert_eq!(error.cause, Cause::TimedOut);
    assert!(error.message.contains("0.3 s") && error.help[0].contains("--timeout"), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn nobody_there() {
    let bedrock = with(&Server::with(vec![]), |options| {
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        options.endpoint = Some(format!("http://127.0.0.1:{port}"));
        options.attempts = 1;
    });
    let error = bedrock.ask(&request(), &mut |_| {}).unwrap_err();
    assert_eq!(error.cause, Cause::Unreachable, "{error:?}");
}

#[test]
fn ten_megabytes_are_cut_off() {
    let long = "x".repeat(10_000_000);
    for reply in
        [Reply::stream(&long, None, "end_turn", 30_000), Reply::stream("", Some(&long), "tool_use", 30_000)]
    {
        let answer = bedrock(&Server::with(vec![reply])).ask(&request(), &mut |_| {}).unwrap();
        assert_eq!((answer.stop, answer.text.len(), answer.call), (Stop::TooLong, 0, None));
    }
    let mut plain = request();
    plain.tool = None;
    let server = Server::with(vec![
        Reply::error(400, "ValidationException", "streaming is not supported"),
        Reply::converse(&long),
    ]);
    let answer = bedrock(&server).ask(&plain, &mut |_| {}).unwrap();
    assert_eq!((answer.stop, answer.text.len()), (Stop::TooLong, 0));
}

#[test]
fn answers_that_end_early_are_known() {
    let cut = Reply::stream("", Some(r#"{"lookalike": 1, "tab"#), "max_tokens", 5);
    let answer = bedrock(&Server::with(vec![cut])).ask(&request(), &mut |_| {}).unwrap();
    assert_eq!((answer.stop, answer.call), (Stop::MaxTokens, None));
    let held = Reply::stream("no", None, "guardrail_intervened", 5);
    assert_eq!(bedrock(&Server::with(vec![held])).ask(&request(), &mut |_| {}).unwrap().stop, Stop::Filtered);

    let mut broken = Reply::stream("", None, "end_turn", 5);
    broken.body = frame("messageStart", &json!({"role": "assistant"}));
    let (error, _) = failure(vec![broken.clone()]);
    assert!(error.cause == Cause::BadAnswer && error.message.contains("broke off"), "{error:?}");
    broken.body.extend(exception("throttlingException", "slow down"));
    let (error, _) = failure(vec![broken]);
    assert_eq!(error.cause, Cause::Throttled, "{error:?}");
}

#[test]
fn what_is_no_answer_of_bedrock_is_told() {
    let (error, _) = failure(vec![Reply::json(200, &json!({"hello": "world"}))]);
    assert_eq!(error.cause, Cause::BadAnswer, "{error:?}");
}

#[test]
fn credentials_are_hidden_in_errors_and_answers() {
    let words = format!("bad {ID} {SECRET} {SESSION}");
    let (error, _) = failure(vec![Reply::error(400, "ValidationException", &words)]);
    assert!(error.message.contains("bad [hidden] [hidden] [hidden]"), "{error:?}");
    let reply = Reply::stream(&words, Some(&json!({"k": SECRET, SESSION: 1}).to_string()), "tool_use", 7);
    let bedrock = bedrock(&Server::with(vec![reply]));
    let answer = bedrock.ask(&request(), &mut |_| {}).unwrap();
    let text = format!("{answer:?} {:?}", bedrock.secrets());
    assert!([ID, SECRET, SESSION].iter().all(|secret| !text.contains(secret)), "{text}");
}
