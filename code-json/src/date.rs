//! Days and moments as inventories write them.
//!
//! GSA 2.0.0 wants a day (`format: date`), gov 2.0.0 a moment (`date-time`,
//! RFC 3339); files have both everywhere.

use jiff::civil::Date;

/// A date in one of the spellings of the field survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The day, as it was written: in the writer's zone.
    pub day: Date,
    /// `10:20:30.5`, with seconds; and `Z` or `+04:00`, if there is one.
    pub time: Option<(String, Option<String>)>,
}

/// Reads a date; `None` if it is none, or could be read in two ways.
#[must_use]
pub fn read(text: &str) -> Option<Written> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '-' || c == '/')).unwrap_or(text.len());
    let (day, rest) = text.split_at(end);
    let separator = if day.contains('/') { '/' } else { '-' };
    let mut parts = day.split(separator);
    let mut part = |least: usize, most: usize| {
        let part = parts.next()?;
        let digits = (least..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i16>().ok()).flatten()
    };
    let (year, month, day) = (part(4, 4)?, part(1, 2)?, part(1, 2)?);
    if parts.next().is_some() {
        return None;
    }
    let day = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let time = match rest.strip_prefix(['T', 't']).or_else(|| rest.strip_prefix(' ')) {
        Some(time) => Some(read_time(time.trim())?),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Written { day, time })
}

fn read_time(text: &str) -> Option<(String, Option<String>)> {
    let at = text.find(['Z', 'z', '+', '-', ' ']).unwrap_or(text.len());
    let (time, offset) = text.split_at(at);
    let (whole, fraction) = time.split_once('.').map_or((time, None), |(whole, part)| (whole, Some(part)));
    let parts: Vec<&str> = whole.split(':').collect();
    let two = |text: &str, most: u8| text.len() == 2 && text.parse::<u8>().is_ok_and(|number| number <= most);
    let seconds = match parts.as_slice() {
        [hour, minute] if two(hour, 23) && two(minute, 59) && fraction.is_none() => ":00",
        [hour, minute, second] if two(hour, 23) && two(minute, 59) && two(second, 59) => "",
        _ => return None,
    };
    let fraction = match fraction {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!(".{digits}")
        }
        Some(_) => return None,
        None => String::new(),
    };
    let offset = match offset.trim() {
        "" => None,
        "Z" | "z" | "UTC" => Some("Z".to_owned()),
        offset => {
            let digits: String = offset[1..].chars().filter(|c| *c != ':').collect();
            let sign = &offset[..1];
            let fits = digits.len() == 4 && two(&digits[..2], 23) && two(&digits[2..], 59);
            (fits && (sign == "+" || sign == "-"))
                .then(|| Some(format!("{sign}{}:{}", &digits[..2], &digits[2..])))?
        }
    };
    Some((format!("{whole}{seconds}{fraction}"), offset))
}

impl Written {
    /// As the schema wants it: a day (GSA 2.0.0), or a moment (gov 2.0.0). Where
    /// nothing is said of the hour it is midnight, of the zone UTC.
    #[must_use]
    pub fn to_text(&self, with_time: bool) -> String {
        match (&self.time, with_time) {
            (_, false) => self.day.to_string(),
            (None, true) => format!("{}T00:00:00Z", self.day),
            (Some((time, offset)), true) => {
                format!("{}T{time}{}", self.day, offset.as_deref().unwrap_or("Z"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_field_are_read() {
        for (text, date, time) in [
            ("2024-03-01", "2024-03-01", "2024-03-01T00:00:00Z"),
            ("2015-7-7", "2015-07-07", "2015-07-07T00:00:00Z"),
            ("2015/07/7", "2015-07-07", "2015-07-07T00:00:00Z"),
            ("2018-01-23T15:00-04:00", "2018-01-23", "2018-01-23T15:00:00-04:00"),
            ("2025-06-25T20:08:39+0000", "2025-06-25", "2025-06-25T20:08:39+00:00"),
            ("2017-05-04 18:12:44", "2017-05-04", "2017-05-04T18:12:44Z"),
            ("2017-05-04 18:12:44 UTC", "2017-05-04", "2017-05-04T18:12:44Z"),
            ("2026-03-01T01:17:26.188z", "2026-03-01", "2026-03-01T01:17:26.188Z"),
        ] {
            let written = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (written.to_text(false).as_str(), written.to_text(true).as_str()),
                (date, time),
                "{text}"
            );
        }
        for text in [
            "",
            "2013",
            "2015-26-2",
            "201-10-24",
            "42736",
            "7/7/2015",
            "2015-02-30",
            "2015-1-1x",
            "2024-01-01T25:00:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_again(text in "\\PC{0,30}", near in "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[T ]?[0-9:TZ+. -]{0,14}") {
            for text in [text, near] {
                let Some(written) = read(&text) else { continue };
                for with_time in [false, true] {
                    let spelled = written.to_text(with_time);
                    let again = read(&spelled).map(|written| written.to_text(with_time));
                    proptest::prop_assert_eq!(again, Some(spelled), "{}", text);
                }
            }
        }
    }
}
