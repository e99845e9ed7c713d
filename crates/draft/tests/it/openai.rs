//! Endpoints that speak as OpenAI's.

use std::time::Duration;

use lookalike_draft::providers::OpenAi;
use lookalike_draft::providers::openai::Options;
use lookalike_draft::{Call, Cause, Message, Provider as _, Stop, Usage};
use serde_json::json;

use super::request;
use super::server::{Reply, Server};

const KEY: &str = "sk-marker-of-a-key";

fn options(server: &Server) -> Options {
    Options {
        endpoint: format!("{}/v1", server.address),
        key: Some(KEY.into()),
        timeout: Duration::from_secs(30),
        attempts: 3,
        backoff: Duration::from_millis(5),
    }
}

pub fn endpoint(server: &Server) -> OpenAi {
    OpenAi::connect(options(server)).unwrap()
}

fn call(arguments: &str) -> Reply {
    Reply::chat(json!({"role": "assistant", "content": null, "tool_calls": [{
        "id": "call_9", "type": "function", "function": {"name": "write_ruleset", "arguments": arguments},
    }]}))
}

#[test]
fn the_tool_is_used() {
    let server = Server::with(vec![call(r#"{"z": 1, "a": 2}"#)]);
    let mut request = request();
    let earlier = Call { id: "call_1".into(), name: "write_ruleset".into(), input: json!({"b": 1}) };
    request.messages.push(Message::Assistant { text: String::new(), call: Some(earlier) });
    request.messages.push(Message::User { text: "wrong".into(), answers: Some("call_1".into()) });
    let answer = endpoint(&server).ask(&request, &mut |_| {}).unwrap();
    assert_eq!(answer.call.unwrap().input.to_string(), r#"{"z":1,"a":2}"#);
    assert_eq!(answer.usage, Usage { input_tokens: 11, output_tokens: 7 });
    let heard = &server.heard()[0];
    assert_eq!(heard.line, "POST /v1/chat/completions");
    assert!(heard.headers.contains(&format!("Bearer {KEY}")), "{}", heard.headers);
    let body = heard.json();
    assert_eq!(body["messages"][0], json!({"role": "system", "content": "Be brief."}));
    assert_eq!(body["messages"][2]["tool_calls"][0]["function"]["arguments"], r#"{"b":1}"#);
    assert_eq!(body["messages"][3], json!({"role": "tool", "tool_call_id": "call_1", "content": "wrong"}));
    assert_eq!(body["tools"][0]["function"]["name"], "write_ruleset");
    assert_eq!(body["max_tokens"], 500);
}

#[test]
pub fn endpoints_without_tools_are_asked_in_words() {
    let server = Server::with(vec![
        Reply::json(400, &json!({"error": {"message": "m does not support tools"}})),
        Reply::chat(json!({"role": "assistant", "content": "In words."})),
    ]);
    let endpoint = endpoint(&server);
    assert_eq!(endpoint.ask(&request(), &mut |_| {}).unwrap().text, "In words.");
    assert!(server.heard()[1].json().get("tools").is_none());
    endpoint.ask(&request(), &mut |_| {}).unwrap();
    assert_eq!(server.heard().len(), 3);
}

#[test]
fn throttled_twice_then_fine() {
    let throttled =
        Reply::json(429, &json!({"error": {"message": "slow down"}})).with_header("retry-after", "0");
    let server = Server::with(vec![throttled.clone(), throttled.clone(), call("{}")]);
    endpoint(&server).ask(&request(), &mut |_| {}).unwrap();
    assert_eq!(server.heard().len(), 3);
    let error = endpoint(&Server::with(vec![throttled])).ask(&request(), &mut |_| {}).unwrap_err();
    assert_eq!(error.cause, Cause::Throttled);
}

#[test]
fn errors_say_what_to_do_and_hide_the_key() {
    for (status, cause, help) in [
        (401, Cause::Expired, "--api-key-env"),
        (403, Cause::Denied, ""),
        (404, Cause::UnknownModel, "ollama pull"),
        (400, Cause::Refused, ""),
        (500, Cause::Unreachable, ""),
    ] {
        let server =
            Server::with(vec![Reply::json(status, &json!({"error": {"message": format!("no, {KEY}")}}))]);
        let error = endpoint(&server).ask(&request(), &mut |_| {}).unwrap_err();
        assert_eq!(error.cause, cause, "{status}: {error:?}");
        assert!(error.help.join("\n").contains(help) && error.message.contains("no, [hidden]"), "{error:?}");
    }
    for body in ["<html>", "{}", r#"{"choices": []}"#] {
        let reply = Reply { body: body.into(), ..Reply::json(200, &json!(null)) };
        let error = endpoint(&Server::with(vec![reply])).ask(&request(), &mut |_| {}).unwrap_err();
        assert_eq!(error.cause, Cause::BadAnswer, "{body}");
    }
}

#[test]
fn long_answers_and_slow_ones_are_cut_off() {
    let long = Reply::chat(json!({"role": "assistant", "content": "x".repeat(10_000_000)}));
    let answer = endpoint(&Server::with(vec![long])).ask(&request(), &mut |_| {}).unwrap();
    assert_eq!((answer.stop, answer.text.len()), (Stop::TooLong, 0));
    let server = Server::with(vec![call("{}").after(Duration::from_secs(30))]);
    let mut options = options(&server);
    options.timeout = Duration::from_millis(200);
    let error = OpenAi::connect(options).unwrap().ask(&request(), &mut |_| {}).unwrap_err();
    assert_eq!(error.cause, Cause::TimedOut);
}
