"""Answers that the wizard never sent."""

from labkit.testing.malformed_requests import Raw, unknown_session_ids


def malformed_answers(carrier):
    """Return requests with malformed answers. The wizard must ignore the answers without an
    error."""
    if carrier == "session":
        return unknown_session_ids("sessionid_05")
    values = [
        b"", b"x", b"abc", b"-1", b"151", b"1e2", b"9" * 5000, b"a" * 32, b"%00", b"%ff%fe", b"%0d%0aX:y",
        b"../../etc/passwd", b"<script>alert(7)</script>", b"%F0%9F%8D%8E" * 80, b"::", b"e30:x:y", b".x:y:z",
    ]  # fmt: skip
    if carrier == "cookie":
        values += [b"\xff\xfe", b'"\\073"']
        return [
            Raw(f"{name.decode()} {value[:20]!r}", 302, path=b"/cookie/results/", cookie=name + b"=" + value, alone=True)
            for name in (b"name_05", b"age_05")
            for value in values
        ]  # fmt: skip
    if carrier == "hidden":
        return [
            Raw(f"answers {value[:20]!r}", 200, "POST", b"/hidden/age/", body=b"age=30&answers=" + value)
            for value in values
        ]  # fmt: skip
    return [
        *(Raw(f"key {value[:20]!r}", 302, path=b"/key_in_url/gf/?w=" + value) for value in values),
        *(
            Raw(f"an answer to key {value[:20]!r}", 302, "POST", b"/key_in_url/name/?w=" + value, body=b"name=Anu")
            for value in values
        ),
        Raw("a key of 17 000 characters", 414, path=b"/key_in_url/results/?w=" + b"x" * 17_000),
    ]  # fmt: skip
