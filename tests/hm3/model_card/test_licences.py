"""Licences are the sources' own words; where they differ the card says so and claims none."""

import pytest
from huggingface_hub import ModelCard

from hm3.checkpoints import hub_folder
from hm3.model_card import stack_card
from hm3.recipe import LayerRef, MergeSpec, Recipe, Source

APACHE = "                                 Apache License\n                           Version 2.0, January 2004\n"


@pytest.fixture
def source(tmp_path):
    """Make a source whose folder has a card, a licence's text, or neither."""

    def made(name, card=None, text=None):
        folder = tmp_path / name
        folder.mkdir()
        for file, content in (("README.md", card), ("LICENSE", text)):
            if content is not None:
                (folder / file).write_text(content)
        return Source(name, f"{name:0<64}", origin=str(folder))

    return made


def front(**stated):
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in stated.items()) + "---\n# A model\n"


def card_of(*sources):
    path = [LayerRef(source.name, 0) for source in sources]
    recipe = Recipe.build(path, path[0].source, path[0].source, {source.name: source for source in sources})
    text = stack_card(recipe)
    return ModelCard(text).data, text


def test_a_licence_that_all_state_is_the_stacks(source, caplog):
    data, text = card_of(source("a", front(license="apache-2.0")), source("b", text=APACHE))
    assert (data.license, data.license_name) == ("apache-2.0", None)
    assert "- a: apache-2.0" in text.splitlines()
    assert caplog.messages == []


def test_licences_that_differ_are_a_warning_and_a_section(source, caplog):
    data, text = card_of(source("a", front(license="apache-2.0")), source("b", front(license="llama3.1")))
    assert (data.license, data.license_name) == ("other", "several-see-model-card")
    assert {"- a: apache-2.0", "- b: llama3.1"} <= set(text.splitlines())
    assert "They differ: what may be done with this model must satisfy every one of them." in text
    assert caplog.messages == [
        "the sources' licences differ (a: apache-2.0, b: llama3.1): see whether they let you publish a merge"
    ]


def test_no_licence_is_claimed_where_a_source_states_none(source, caplog):
    data, text = card_of(source("a", front(license="mit")), source("b"))
    assert data.license is None
    assert "- b: not stated" in text.splitlines()
    assert "are not all stated (a: mit, b: not stated)" in caplog.messages[0]


def test_what_nobody_states_is_no_warning(source, caplog):
    assert card_of(source("a"), source("b"))[0].license is None
    assert caplog.messages == []


def test_a_licence_of_its_own_keeps_its_name_and_link(source):
    stated = {"license": "other", "license_name": "qwen-research", "license_link": "https://example.org/LICENSE"}
    data, text = card_of(source("a", front(**stated)), source("b", front(**stated)))
    assert {key: data[key] for key in stated} == stated
    assert "- a: qwen-research (<https://example.org/LICENSE>)" in text.splitlines()


def test_two_licences_of_their_own_differ(source):
    data, _ = card_of(*(source(name, front(license="other", license_name=name)) for name in "ab"))
    assert data.license_name == "several-see-model-card"


def test_the_parents_of_a_merge_count_too(source):
    a, b = source("a", front(license="mit")), source("b", front(license="gpl-3.0"))
    merged = Source.merged("m", MergeSpec("ties", a, (b,), (1.0,)))
    data, text = card_of(a, merged)
    assert data.license_name == "several-see-model-card"
    assert {"- a: mit", "- b: gpl-3.0"} <= set(text.splitlines())


def test_an_adapter_and_its_base_count_both(source):
    adapter, base = source("adapter", front(license="mit")), source("base", front(license="llama3.1"))
    tuned = Source("tuned", "9" * 64, origin=f"{adapter.origin} on {base.origin}")
    data, text = card_of(tuned)
    assert data.license_name == "several-see-model-card"
    assert {"- tuned (adapter): mit", "- tuned (its base): llama3.1"} <= set(text.splitlines())


def test_the_zoo_is_under_the_projects_licence():
    assert card_of(Source("math", "1" * 64, origin="zoo:math"))[0].license == "apache-2.0"


def test_a_licence_comes_with_a_model_of_the_hub(hub):
    hub.add("org/a", {"config.json": b"{}", "README.md": front(license="mit").encode()})
    commit = hub_folder("a", "org/a").name
    data, _ = card_of(Source("a", "1" * 64, origin=f"org/a@{commit}"))
    assert (data.license, data.base_model) == ("mit", ["org/a"])


DAMAGED = {
    "no front matter": "# A model",
    "no mapping": "---\n- mit\n---\n",
    "no YAML": "---\n{license: mit\n---\n",
    "no text": "---\nlicense: {a: b}\n---\n",
    "a command": "---\nlicense: !!python/object/apply:os.system ['true']\n---\n",
    "deep": "---\nlicense: " + "[" * 5000 + "\n---\n",
    "large": "---\nlicense: mit\n---\n" + "x" * 1_000_001,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_card_states_nothing(source, text):
    data, _ = card_of(source("a", text))
    assert data.license is None


@pytest.mark.parametrize("link", ["javascript:alert(1)", "LICENSE", "https://x.example/> <script>"])
def test_a_link_that_is_no_address_is_left_out(source, link):
    _, text = card_of(source("a", front(license="other", license_name="mine", license_link=f"'{link}'")))
    assert "- a: mine" in text.splitlines()
