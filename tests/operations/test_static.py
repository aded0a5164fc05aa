"""Static files as production names them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from django.contrib.staticfiles.finders import find
from django.core.files import File

from botgpt.operations.static import StaticFiles

if TYPE_CHECKING:
    from pytest_django import Settings

IMPORTS = re.compile(r'(?m)^import\b[^"]*"([^"]+)"')


def test_each_module_of_the_chat_page_is_imported_by_its_one_final_name(settings: Settings, tmp_path: Path) -> None:
    """Under two names a module would be there twice, and under a name without its content's hash it would go stale."""
    settings.DEBUG = False
    files = StaticFiles(location=tmp_path)
    for folder in ("chat", "vendor"):
        source = Path(str(find(folder)))
        for path in source.rglob("*.js"):
            with path.open("rb") as content:
                files.save(f"{folder}/{path.relative_to(source)}", File(content))
    names = [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.js")]
    for _, _, outcome in files.post_process({name: (files, name) for name in names}):
        assert not isinstance(outcome, Exception), outcome
    final = set(files.hashed_files.values())
    assert len(final) == len(names) > 15
    imported = {
        str((tmp_path / name).parent.joinpath(target).resolve().relative_to(tmp_path))
        for name in final
        for target in IMPORTS.findall((tmp_path / name).read_text())
    }
    assert imported == final - {files.hashed_files["chat/main.js"]}
