//! Who may use the code: the names that any version has, and how they meet.

/// One value of `usageType`. In the order of restriction, the strictest first,
/// by the exceptions of M-16-21 §6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usage {
    /// Exception 2: national security, confidentiality, privacy.
    ExemptByNationalSecurity,
    /// SHARE IT Act §4(a)(1)(B).
    ExemptByNationalIntelligence,
    /// SHARE IT Act §4(a)(2)(B)(ii).
    ExemptByPrivacyRisk,
    /// Exception 1, a law or regulation. Gone from gov 2.0.0, which asks which.
    ExemptByLaw,
    /// Classified information.
    ExemptByClassifiedInformation,
    /// International Traffic in Arms Regulations.
    ExemptByItar,
    /// Export Administration Regulations.
    ExemptByEar,
    /// Sensitive security information of the TSA.
    ExemptByTsa,
    /// 5 U.S.C. 552(b), SHARE IT Act §4(a)(1)(C).
    ExemptByFoia,
    /// Rights of others.
    ExemptByIpRestriction,
    /// Exception 3: the agency's systems or staff.
    ExemptByAgencySystem,
    /// Exception 4: its mission.
    ExemptByAgencyMission,
    /// Exception 5: the CIO, in the national interest.
    ExemptByCio,
    /// Older than M-16-21.
    ExemptByPolicyDate,
    /// Any agency may.
    GovernmentWideReuse,
    /// Everybody may.
    OpenSource,
}

use Usage::*;

/// Name, whether gov 2.0.0 has it, and what GSA 2.0.0 has for it.
const TABLE: [(Usage, &str, bool, &str); 16] = [
    (ExemptByNationalSecurity, "exemptByNationalSecurity", true, "exemptByNationalSecurity"),
    (ExemptByNationalIntelligence, "exemptByNationalIntelligence", true, "exemptByNationalSecurity"),
    (ExemptByPrivacyRisk, "exemptByPrivacyRisk", true, "exemptByNationalSecurity"),
    (ExemptByLaw, "exemptByLaw", false, "exemptByLaw"),
    (ExemptByClassifiedInformation, "exemptByClassifiedInformation", true, "exemptByLaw"),
    (ExemptByItar, "exemptByITAR", true, "exemptByLaw"),
    (ExemptByEar, "exemptByEAR", true, "exemptByLaw"),
    (ExemptByTsa, "exemptByTSA", true, "exemptByLaw"),
    (ExemptByFoia, "exemptByFOIA", true, "exemptByLaw"),
    (ExemptByIpRestriction, "exemptByIPRestriction", true, "exemptByLaw"),
    (ExemptByAgencySystem, "exemptByAgencySystem", true, "exemptByAgencySystem"),
    (ExemptByAgencyMission, "exemptByAgencyMission", true, "exemptByAgencyMission"),
    (ExemptByCio, "exemptByCIO", true, "exemptByCIO"),
    (ExemptByPolicyDate, "exemptByPolicyDate", true, "exemptByPolicyDate"),
    (GovernmentWideReuse, "governmentWideReuse", true, "governmentWideReuse"),
    (OpenSource, "openSource", true, "openSource"),
];

impl Usage {
    /// Every name, the strictest first.
    pub const NAMES: &'static [&'static str] = &{
        let mut names = [""; TABLE.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = TABLE[at].1;
            at += 1;
        }
        names
    };

    /// The usage with this name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Usage> {
        TABLE.iter().find(|row| row.1.eq_ignore_ascii_case(name.trim())).map(|row| row.0)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// Whether gov 2.0.0 has it.
    #[must_use]
    pub fn in_gov(self) -> bool {
        TABLE[self as usize].2
    }

    /// What GSA 2.0.0 has for it.
    #[must_use]
    pub fn in_gsa(self) -> &'static str {
        TABLE[self as usize].3
    }

    /// Whether it keeps the code from others.
    #[must_use]
    pub fn is_exempt(self) -> bool {
        self < GovernmentWideReuse
    }

    /// The exemption with this number in GSA 1.0.0.
    #[must_use]
    pub fn numbered(number: u64) -> Option<Usage> {
        match number {
            1 => Some(ExemptByLaw),
            2 => Some(ExemptByNationalSecurity),
            3 => Some(ExemptByAgencySystem),
            4 => Some(ExemptByAgencyMission),
            5 => Some(ExemptByCio),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_names() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, at);
            assert_eq!(Usage::named(&row.1.to_uppercase()), Some(row.0));
            let there = Usage::named(row.3).unwrap();
            assert_eq!(there.in_gsa(), row.3, "GSA's names stay as they are");
            assert_eq!(there.is_exempt(), row.0.is_exempt());
        }
        assert_eq!(TABLE.iter().filter(|row| row.2).count(), 15);
    }
}
