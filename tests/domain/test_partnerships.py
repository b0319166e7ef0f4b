"""Which schools a partnership makes teachers wish for, or keeps them to."""

from scheduler.domain import partnerships
from scheduler.domain.partnerships import Binding, Partnership, PartnershipId, Terms
from scheduler.domain.people import DonorSchool, DonorSchoolId, Level, ReceivingSchool, SchoolId

AI_MO = DonorSchool(DonorSchoolId(1), "THCS Ái Mộ", "Long Biên")
TAN_MAI = DonorSchool(DonorSchoolId(2), "TH Tân Mai", "Ba Đình")
DONORS = (AI_MO, TAN_MAI)
SCHOOLS = tuple(
    ReceivingSchool(SchoolId(n), f"S{n}", name, district, Level.PRIMARY, 1)
    for n, (name, district) in enumerate(
        (("TH Một", "Lục Yên"), ("TH Hai", "Lục Yên"), ("TH Ba", "Văn Chấn"))
    )
)


def bonds(*pairs):
    known = (
        Partnership(PartnershipId(n), Terms(donor, receiver, 10, 0, binding))
        for n, (donor, receiver, binding) in enumerate(pairs)
    )
    return partnerships.bonds(known, DONORS, SCHOOLS)


def test_a_district_stands_for_its_schools_and_a_school_for_itself():
    found = bonds(("Long Biên", "Lục Yên", Binding.WISH), (TAN_MAI.label, "TH Ba", Binding.RULE))
    assert found.wished == {AI_MO.label: {"S0", "S1"}}
    assert found.allowed == {TAN_MAI.label: {"S2"}}


def test_what_binds_nothing_changes_nothing():
    assert bonds(("Long Biên", "Lục Yên", Binding.NONE)) == partnerships.Bonds({}, {})
    assert bonds(("Nowhere", "Lục Yên", Binding.RULE)) == partnerships.Bonds({}, {})


def test_several_rules_of_a_school_let_its_teachers_go_to_all_of_them_and_so_does_a_wish():
    found = bonds(
        ("Long Biên", "TH Một", Binding.RULE),
        (AI_MO.label, "TH Ba", Binding.RULE),
        (AI_MO.label, "TH Hai", Binding.WISH),
    )
    assert found.allowed == {AI_MO.label: {"S0", "S1", "S2"}}


def test_a_rule_for_a_unit_that_has_no_school_any_more_binds_nobody():
    assert bonds(("Long Biên", "Nowhere", Binding.RULE)).allowed == {}


def test_schools_are_told_apart_by_the_bound_teachers_who_may_come():
    found = bonds(("Long Biên", "TH Một", Binding.RULE), ("Ba Đình", "Lục Yên", Binding.RULE))
    assert partnerships.groups(found, ("S0", "S1", "S2")) == {
        "S0": {AI_MO.label, TAN_MAI.label},
        "S1": {TAN_MAI.label},
        "S2": frozenset(),
    }
