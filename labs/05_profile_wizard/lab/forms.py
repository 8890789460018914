from django import forms

from labkit.base.form_fields import PrintableText, WholeNumber


class NameForm(forms.Form):
    name = PrintableText(label="Your name", max_length=40)


class AgeForm(forms.Form):
    age = WholeNumber(label="Your age", min_value=0, max_value=150)


class FriendForm(forms.Form):
    gf = PrintableText(label="Your good friend's name", max_length=40)


FORMS = {"name": NameForm, "age": AgeForm, "gf": FriendForm}  # one for each step, in order
STEPS = [*FORMS, "results"]
ANSWER_FIRST = "That comes later; this question comes first."
ALTERED = "Altered on the way, so it does not count: {}."
UNREADABLE = "The answers could not be read: they were altered, have expired, or are not from here."


def first_open_step(step, answers):
    """Return this step, or the first one before it that has no answer."""
    return next((s for s in STEPS[: STEPS.index(step)] if s not in answers), step)


def next_step(step):
    return STEPS[STEPS.index(step) + 1]


def check_answers(sent):
    """Return the valid answers, and a sentence about the others, or None if all are valid."""
    if sent is None:
        return {}, UNREADABLE
    answers = {}
    for field, text in sent.items():
        filled_form = FORMS[field]({field: text})
        if filled_form.is_valid():
            answers[field] = str(filled_form.cleaned_data[field])
    if altered := [label(field) for field in sent if field not in answers]:
        return answers, ALTERED.format(", ".join(altered))
    return answers, None


def label(field):
    return FORMS[field].base_fields[field].label
