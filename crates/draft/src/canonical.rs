use serde_json::Value;
use sha2::{Digest, Sha256};

/// The JSON text of a value with the keys of every object in byte order and no white space: equal values have equal texts.
///
/// The body that an SDK sends will not do for this: objects go through hash maps there, and their order changes from run
/// to run.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            text.push('{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

/// The content address of a value: SHA-256 over its canonical text, in hexadecimal.
pub fn address(value: &Value) -> String {
    Sha256::digest(canonical(value)).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter_but_that_of_items_does() {
        let a = json!({"b": [1, {"y": null, "x": "é\n"}], "a": 0.5});
        let b = json!({"a": 0.5, "b": [1, {"x": "é\n", "y": null}]});
        assert_eq!(canonical(&a), r#"{"a":0.5,"b":[1,{"x":"é\n","y":null}]}"#);
        assert_eq!(address(&a), address(&b));
        assert_ne!(address(&json!([1, 2])), address(&json!([2, 1])));
        // `printf %s '{"a":1}' | sha256sum`
        let known = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
        assert_eq!(address(&json!({"a": 1})), known);
    }
}
