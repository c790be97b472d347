//! Values for those who want them without places.

use super::{Kind, Value};

impl Value<'_> {
    /// As serde_json has it: of keys that stand twice, the last; a number
    /// beyond 64 bits becomes the nearest that is finite.
    ///
    /// Recurses no deeper than [`Limits::depth`](super::Limits).
    #[must_use]
    pub fn to_json(self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self.kind() {
            Kind::Null => Json::Null,
            Kind::Bool => Json::Bool(self.raw() == "true"),
            Kind::Number => match serde_json::from_str(self.raw()) {
                Ok(number) => Json::Number(number),
                Err(_) => self.as_f64().map_or(Json::Null, Json::from),
            },
            Kind::String => Json::String(self.as_str().unwrap_or_default().into_owned()),
            Kind::Array => Json::Array(self.items().map(Value::to_json).collect()),
            Kind::Object => {
                let members = self.members().map(|member| (member.key.into_owned(), member.value.to_json()));
                Json::Object(members.collect())
            }
        }
    }
}
