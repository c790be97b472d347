//! Dates as they are written.

use jiff::civil::Date;

use super::{Judging, shown, violations::Spot};
use crate::{
    checks::dates,
    document::Value,
    edit::{Fix, quote},
};

/// A date in one of the spellings of the field survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) day: Date,
    /// `10:20:30.5`, with seconds; and `Z` or `+04:00`, if there is one.
    pub(crate) time: Option<(String, Option<String>)>,
}

/// Reads a date; `None` if it is none, or could be read in two ways.
pub(crate) fn read(text: &str) -> Option<Written> {
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
    /// As the schema wants it.
    pub(crate) fn to_text(&self, with_time: bool) -> String {
        match (&self.time, with_time) {
            (_, false) => self.day.to_string(),
            (None, true) => format!("{}T00:00:00Z", self.day),
            (Some((time, offset)), true) => {
                format!("{}T{time}{}", self.day, offset.as_deref().unwrap_or("Z"))
            }
        }
    }
}

/// A date that the schema does not take.
pub(super) fn wrong<'d>(judging: &mut Judging<'d>, spot: &Spot<'d, '_>, with_time: bool) {
    let value = spot.value;
    let text = value.as_str().unwrap_or_default();
    if super::urls::is_word_for_nothing(&text) && spot.optional {
        let fix = Fix::remove(value);
        return judging.tell(&dates::EMPTY_DATE, value, shown(value), "Leave it out.", fix);
    }
    let Some(written) = read(&text) else {
        return judging.tell(&dates::DATE, value, shown(value), which_day(&text), None);
    };
    let check = match (with_time, &written.time) {
        _ if text.trim() != text || !is_plain(&text) => &dates::DATE_SPELLING,
        (true, None) => &dates::DATE_TO_TIME,
        (false, Some(_)) => &dates::TIME_TO_DATE,
        (true, Some(_)) | (false, None) => &dates::DATE_SPELLING,
    };
    let right = written.to_text(with_time);
    let write = format!("Write {}.", quote(&right));
    judging.tell(check, value, shown(value), write, Some(Fix::text(value, &right)));
}

/// Whether the day has its ten characters.
fn is_plain(text: &str) -> bool {
    let day = text.get(..10).unwrap_or_default();
    day.len() == 10 && day.bytes().filter(|byte| *byte == b'-').count() == 2 && day.as_bytes()[4] == b'-'
}

/// What a person has to say of a date that cannot be read.
fn which_day(text: &str) -> String {
    // Spreadsheets count days from December 30, 1899.
    let days = text.trim().parse::<i32>().ok().filter(|days| (20_000..70_000).contains(days));
    let day =
        days.and_then(|days| Date::new(1899, 12, 30).ok()?.checked_add(jiff::Span::new().days(days)).ok());
    match day {
        Some(day) => format!("Which day is meant? As a spreadsheet's number, it is {day}."),
        None => "Which day is meant? Write it as 2024-03-01.".into(),
    }
}

impl<'d> Judging<'d> {
    /// What can be said of dates beyond the schema.
    pub(super) fn dates(&mut self, record: Value<'d>) {
        let Some(date) = record.get("date") else { return };
        let day = |key: &str| {
            let value = date.get(key)?;
            Some((value, read(&value.as_str()?)?.day))
        };
        if let Some(today) = self.today {
            for key in ["created", "lastModified", "metadataLastUpdated"] {
                // Clocks and time zones may be a day ahead.
                if let Some((value, day)) =
                    day(key).filter(|(_, day)| today.tomorrow().is_ok_and(|last| *day > last))
                {
                    let write = format!("Which day is meant? {day} is still to come.");
                    self.tell(&dates::FUTURE, value, shown(value), write, None);
                }
            }
        }
        if let (Some((_, created)), Some((value, modified))) = (day("created"), day("lastModified"))
            && modified < created
        {
            let write = format!("Which day is right? It was created on {created}.");
            self.tell(&dates::ORDER, value, shown(value), write, None);
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
        assert_eq!(which_day("42736"), "Which day is meant? As a spreadsheet's number, it is 2017-01-01.");
    }
}
