use super::*;
use rstest::rstest;

fn quiet(zone: &str, hours: &str) -> Quiet {
    Quiet {
        timezone: jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap(),
        hours: hours.parse().unwrap(),
        ..Quiet::default()
    }
}

fn every_day(zone: &str, hours: &str) -> Quiet {
    Quiet { days: Day::ALL.into(), federal_holidays: false, ..quiet(zone, hours) }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The dates as the Office of Personnel Management publishes them.
#[rstest]
#[case(2021, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31")]
#[case(2022, "01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26")]
#[case(2023, "01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25")]
#[case(2026, "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25")]
#[case(2027, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31")]
fn holidays_of_a_year(#[case] year: i16, #[case] expected: &str) {
    let days: Vec<String> = Date::new(year, 1, 1)
        .unwrap()
        .series(jiff::Span::new().days(1))
        .take_while(|day| day.year() == year)
        .filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday))
        .filter(|day| federal_holiday(*day).is_some())
        .map(|day| day.strftime("%m-%d").to_string())
        .collect();
    assert_eq!(days.join(" "), expected);
}

#[test]
fn a_holiday_on_a_weekend_is_kept_on_both_days_and_inauguration_day_is_not_counted() {
    let name = |y, m, d| federal_holiday(Date::new(y, m, d).unwrap());
    assert_eq!(name(2026, 7, 4), Some("Independence Day"));
    assert_eq!(name(2026, 7, 3), Some("Independence Day"));
    assert_eq!(name(2021, 12, 31), Some("New Year's Day"));
    assert_eq!(name(2021, 1, 20), None);
    assert_eq!(name(9999, 12, 25), Some("Christmas Day"));
}

#[rstest]
// 2026-03-02 is a Monday; New York is on UTC-5 until March 8.
#[case("2026-03-02T13:59:59Z", "2026-03-02T14:00:00Z")]
#[case("2026-03-02T14:00:00Z", "2026-03-02T14:00:00Z")]
#[case("2026-03-02T20:59:59Z", "2026-03-02T20:59:59Z")]
#[case("2026-03-02T21:00:00Z", "2026-03-03T14:00:00Z")]
// Thursday evening to Monday morning, across the change to daylight saving time.
#[case("2026-03-05T22:00:00Z", "2026-03-09T13:00:00Z")]
// Back to standard time on November 1.
#[case("2026-10-29T23:00:00Z", "2026-11-02T14:00:00Z")]
// Thanksgiving is a Thursday: the next opening is on Monday.
#[case("2026-11-25T22:00:00Z", "2026-11-30T14:00:00Z")]
// Over the end of the year: December 31, 2026 is a Thursday, January 1 a holiday.
#[case("2026-12-31T21:30:00Z", "2027-01-04T14:00:00Z")]
fn opens_next_in_new_york(#[case] now: &str, #[case] next: &str) {
    let quiet = quiet("America/New_York", "09:00-16:00");
    assert_eq!(quiet.next_open(at(now)), Some(at(next)));
    assert_eq!(quiet.open_at(at(now)), now == next);
    assert!(quiet.open_at(at(next)));
}

#[test]
fn the_whole_day_is_a_window() {
    let quiet = every_day("America/New_York", "00:00-24:00");
    // The 23-hour and the 25-hour day, and the last second of a year.
    for now in
        ["2026-03-08T07:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2027-01-01T04:59:59Z"]
    {
        assert!(quiet.open_at(at(now)), "{now}");
    }
}

#[test]
fn a_window_inside_the_gap_of_daylight_saving_time_does_not_open_that_day() {
    let quiet = every_day("America/New_York", "02:00-03:00");
    assert_eq!(quiet.next_open(at("2026-03-08T06:00:00Z")), Some(at("2026-03-09T06:00:00Z")));
}

#[test]
fn a_zone_east_of_greenwich_has_its_own_monday() {
    // Guam is UTC+10: its Monday morning is Sunday evening in Washington.
    let quiet = quiet("Pacific/Guam", "09:00-16:00");
    assert!(quiet.open_at(at("2026-03-01T23:00:00Z")));
    assert!(!quiet.open_at(at("2026-03-05T23:00:00Z")), "Friday in Guam");
}

#[test]
fn a_freeze_closes_both_its_ends() {
    let mut quiet = every_day("UTC", "00:00-24:00");
    let day = |text: &str| text.parse::<Date>().unwrap();
    quiet.freezes.push(Freeze { from: day("2026-12-14"), to: day("2027-01-01") });
    assert!(quiet.open_at(at("2026-12-13T23:59:59Z")));
    assert_eq!(quiet.next_open(at("2026-12-14T00:00:00Z")), Some(at("2027-01-02T00:00:00Z")));
}

#[test]
fn a_freeze_without_end_never_opens_and_the_search_ends() {
    let mut quiet = every_day("UTC", "00:00-24:00");
    quiet.freezes.push(Freeze { from: Date::MIN, to: Date::MAX });
    assert_eq!(quiet.next_open(at("2026-12-14T00:00:00Z")), None);
    assert_eq!(Quiet::default().next_open(Timestamp::MAX), None);
}

#[rstest]
#[case("09:00-16:00", Ok("09:00-16:00"))]
#[case("00:00-24:00", Ok("00:00-24:00"))]
#[case("23:59-24:00", Ok("23:59-24:00"))]
#[case("16:00-09:00", Err(HoursError::Empty))]
#[case("09:00-09:00", Err(HoursError::Empty))]
#[case("24:00-24:00", Err(HoursError::Empty))]
#[case("9:00-16:00", Err(HoursError::Malformed))]
#[case("09:00-24:01", Err(HoursError::Malformed))]
#[case("09:60-10:00", Err(HoursError::Malformed))]
#[case("+9:00-16:00", Err(HoursError::Malformed))]
#[case("09:00", Err(HoursError::Malformed))]
#[case("", Err(HoursError::Malformed))]
#[case("0é:00-16:00", Err(HoursError::Malformed))]
fn hours_as_written(#[case] text: &str, #[case] expected: Result<&str, HoursError>) {
    assert_eq!(text.parse::<Hours>().map(|hours| hours.to_string()), expected.map(str::to_owned));
}

proptest::proptest! {
    /// The two functions are one calendar: what is open now opens now, and the
    /// next opening is open and has nothing open before it.
    #[test]
    fn next_open_is_the_first_open_moment(seconds in 1_700_000_000_i64..2_000_000_000, from in 0_u16..1439, length in 1_u16..1440) {
        let mut quiet = quiet("America/Denver", "09:00-16:00");
        quiet.hours = Hours { from, to: (from + length).min(Hours::MIDNIGHT) };
        let now = Timestamp::from_second(seconds).unwrap();
        let next = quiet.next_open(now).unwrap();
        proptest::prop_assert!(quiet.open_at(next));
        proptest::prop_assert_eq!(quiet.open_at(now), next == now);
        let between = Timestamp::from_second(i64::midpoint(seconds, next.as_second())).unwrap();
        proptest::prop_assert!(next == now || between >= next || !quiet.open_at(between));
    }
}
