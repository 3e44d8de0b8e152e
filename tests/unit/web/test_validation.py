from gitlab_hub.errors import NotFound
from gitlab_hub.web.validation import refusal_of, unexpected_fields


def test_a_text_that_may_quote_the_input_is_left_out() -> None:
    error = refusal_of([{"loc": ("body", "url"), "type": "value_error", "msg": "Value error, glpat-canary is no URL"}])
    assert error.details == {"fields": [{"field": "body.url", "problem": "value_error"}]}
    assert "canary" not in str(error)


def test_a_text_about_the_schema_helps() -> None:
    error = refusal_of([{"loc": ("query", "limit"), "type": "less_than_equal", "msg": "Input should be at most 200"}])
    assert error.details["fields"][0]["message"] == "Input should be at most 200"


def test_what_is_told_is_bounded() -> None:
    error = unexpected_fields(f"{n}{'x' * 500}" for n in range(500))
    assert len(error.details["fields"]) == 20
    assert len(str(error)) < 3000


def test_an_id_that_cannot_be_one_is_an_unknown_id() -> None:
    found = [
        {"loc": ("body", "x"), "type": "missing", "msg": ""},
        {"loc": ("path", "n"), "type": "int_parsing", "msg": ""},
    ]
    assert isinstance(refusal_of(found), NotFound)
