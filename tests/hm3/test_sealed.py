import json

import pytest

from hm3.errors import ConfigurationError
from hm3.sealed import sealed, unsealed

CONTENT = {"b": [0.1 + 0.2, None, "ä"], "a": {"x": 2**70}}


def test_content_comes_back(tmp_path):
    file = tmp_path / "kept.json"
    file.write_text(sealed(CONTENT))
    assert unsealed(file) == CONTENT


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (sealed(CONTENT).replace("null", "1"), "other content"),
        (sealed(CONTENT)[:-9], "no JSON"),
        (json.dumps(CONTENT), "other content"),
        ("[]", "other content"),
        ("", "no JSON"),
        (None, "No such file"),
    ],
)
def test_anything_else_is_refused(tmp_path, text, reason):
    file = tmp_path / "kept.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=f"kept.json: as a run wrote it, got {reason}"):
        unsealed(file)
