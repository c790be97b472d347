//! Dates as they are written.

use jiff::civil::Date;

use super::{Judging, shown, violations::Spot};
use crate::{
    checks::dates,
    date::read,
    document::Value,
    edit::{Fix, quote},
};

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
    use super::which_day;

    #[test]
    fn a_spreadsheets_number_is_explained() {
        assert_eq!(which_day("42736"), "Which day is meant? As a spreadsheet's number, it is 2017-01-01.");
    }
}
