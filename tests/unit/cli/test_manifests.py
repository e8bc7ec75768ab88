from pathlib import Path

import pytest

from ibpe.cli.faults import Fault
from ibpe.cli.manifests import read

HEAD = "apiVersion: ibpe.dev/v1beta1\nkind: ImageBuilderPrivateEndpoint\n"
GOOD = HEAD + "metadata: {name: images}\nspec: {region: us-west-2}\n"


def written(directory: Path, text: str) -> Path:
    file = directory / "cr.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2\n", "cr.yaml, line 2, column 2: not valid YAML: expected"),
        ("a: 1\na: 2\n", "cr.yaml, line 2, column 1: not valid YAML: the key a stands twice."),
        ("on: 1\n", "cr.yaml, line 1, column 1: not valid YAML: the key True is not text, put it in quotes."),
        ("a: !!python/object:os.system x\n", "line 1, column 4: not valid YAML: could not determine a constructor"),
        ("a: \x00\n", "cr.yaml: not valid YAML"),
        ("[" * 5000, "nested too deeply"),
        ("", "holds no ImageBuilderPrivateEndpoint (ibpe.dev/v1beta1); it is empty."),
        ("- 1\n", "a document is not an object; write apiVersion, kind, metadata and spec."),
        ("kind: Deployment\n---\nkind: Service\n", "it holds Deployment, Service."),
        ("a: 1\n", "it holds an object without kind."),
        (GOOD.replace("v1beta1", "v1"), "apiVersion ibpe.dev/v1 of ImageBuilderPrivateEndpoint is not known; write"),
        (HEAD + "spec: {}\n", "has no metadata.name; add it."),
        (HEAD + "metadata: {name: images}\n", "images has no spec; add it."),
    ],
)
def test_a_file_that_is_not_what_it_should_be(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Fault) as fault:
        read(written(tmp_path, text))
    assert message in fault.value.message
    assert "\n" not in fault.value.message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="There is no file"):
        read(tmp_path / "missing.yaml")
    with pytest.raises(Fault, match=r"can't be read: Is a directory"):
        read(tmp_path)
    (tmp_path / "latin").write_bytes(b"a: \xe9\n")
    with pytest.raises(Fault, match="is not text in UTF-8"):
        read(tmp_path / "latin")


def test_ours_are_found_among_others_in_order(tmp_path: Path) -> None:
    second = GOOD.replace("{name: images}", "{name: more, namespace: team-a}")
    text = f"kind: Deployment\n---\n{GOOD}---\n# nothing\n---\n{second}"
    assert [str(manifest) for manifest in read(written(tmp_path, text))] == ["default/images", "team-a/more"]
    assert [str(manifest) for manifest in read(written(tmp_path, text), "team-b")] == ["team-b/images", "team-a/more"]


def test_a_list_as_kubectl_writes_it_is_opened(tmp_path: Path) -> None:
    items = "".join(f"- {line}\n" if not number else f"  {line}\n" for number, line in enumerate(GOOD.splitlines()))
    assert [str(manifest) for manifest in read(written(tmp_path, f"kind: List\nitems:\n{items}"))] == ["default/images"]


def test_a_policys_version_stays_text(tmp_path: Path) -> None:
    """YAML has dates; Kubernetes does not."""
    (manifest,) = read(written(tmp_path, GOOD.replace("us-west-2", "2012-10-17")))
    assert manifest.spec == {"region": "2012-10-17"}
