import shlex
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from hm3.pages.invocation import export_command

DIGEST = "0123456789abcdef" * 4


def test_a_plain_folder_needs_no_quotes():
    line = "python -m hm3.export run=outputs/2026-01-31/12-00-00 candidate=0123456789ab out=models/0123456789ab"
    assert export_command(Path("outputs/2026-01-31/12-00-00"), DIGEST) == line


@pytest.mark.parametrize(
    "folder",
    ["/a b", "it's", "back\\", "back\\'", "x=1,2", "{a:b}", "[x]", "<b>", '"ü"', "${oc.env:HOME}", "$(ls)", "~/x"],
)
def test_any_folder_reaches_hydra_as_it_is_called(folder):
    word = shlex.split(export_command(Path(folder), DIGEST))[3]
    override = OverridesParser.create().parse_override(word)
    assert OmegaConf.create({override.key_or_group: override.value()}).run == folder
