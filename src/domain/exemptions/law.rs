//! Which law an exemption rests on, by its usage.

use code_json::record::Usage;

/// What the law makes of an exemption.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// SHARE IT Act §4(a)(1): the Act, or its section 3, does not apply.
    Automatic,
    /// SHARE IT Act §4(a)(2): the CIO exempts, in consultation with the Federal
    /// Privacy Council.
    Discretionary,
    /// OMB M-16-21 alone: the Act has no exemption of this name. It may rest on
    /// another law, which is why the citation is asked for.
    Policy,
}

impl Class {
    /// All of them, in the order of a report.
    pub const ALL: [Class; 3] = [Class::Automatic, Class::Discretionary, Class::Policy];

    /// The class of a usage; `None` of one that exempts from nothing.
    #[must_use]
    pub fn of(usage: Usage) -> Option<Class> {
        match usage {
            Usage::ExemptByNationalSecurity | Usage::ExemptByNationalIntelligence | Usage::ExemptByFoia => {
                Some(Class::Automatic)
            }
            Usage::ExemptByEar
            | Usage::ExemptByItar
            | Usage::ExemptByTsa
            | Usage::ExemptByClassifiedInformation
            | Usage::ExemptByPrivacyRisk => Some(Class::Discretionary),
            Usage::ExemptByLaw
            | Usage::ExemptByIpRestriction
            | Usage::ExemptByAgencySystem
            | Usage::ExemptByAgencyMission
            | Usage::ExemptByCio
            | Usage::ExemptByPolicyDate => Some(Class::Policy),
            Usage::GovernmentWideReuse | Usage::OpenSource => None,
        }
    }

    /// The word in a report for machines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Automatic => "automatic",
            Class::Discretionary => "discretionary",
            Class::Policy => "policy",
        }
    }
}

/// Where a usage comes from, as a report cites it; nothing for one that exempts
/// from nothing.
pub(super) fn provision(usage: Usage) -> &'static str {
    match usage {
        Usage::ExemptByNationalSecurity => "SHARE IT Act §4(a)(1)(A)",
        Usage::ExemptByNationalIntelligence => "SHARE IT Act §4(a)(1)(B)",
        Usage::ExemptByFoia => "SHARE IT Act §4(a)(1)(C)",
        Usage::ExemptByEar
        | Usage::ExemptByItar
        | Usage::ExemptByTsa
        | Usage::ExemptByClassifiedInformation => "SHARE IT Act §4(a)(2)(B)(i)",
        Usage::ExemptByPrivacyRisk => "SHARE IT Act §4(a)(2)(B)(ii)",
        Usage::ExemptByLaw | Usage::ExemptByIpRestriction => "M-16-21 §6, exception 1",
        Usage::ExemptByAgencySystem => "M-16-21 §6, exception 3",
        Usage::ExemptByAgencyMission => "M-16-21 §6, exception 4",
        Usage::ExemptByCio => "M-16-21 §6, exception 5",
        Usage::ExemptByPolicyDate => "made before M-16-21 (2016-08-08)",
        Usage::GovernmentWideReuse | Usage::OpenSource => "",
    }
}
