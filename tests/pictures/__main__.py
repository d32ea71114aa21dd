"""`python -m tests.pictures FOLDER`: draws every message into FOLDER, over what an earlier run left there."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from html import unescape
from pathlib import Path

from tests.pictures.shown import Picture, page, pictures

HERE = Path(__file__).parent
STYLES = (HERE / "style.css", HERE / "npm/node_modules/github-markdown-css/github-markdown-light.css")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--hide-scrollbars", "--force-device-scale-factor=2"),
)
MEASURE = """<pre id=heights></pre><script>
  const found = [...document.querySelectorAll(".picture")].map(one => [one.id, Math.ceil(one.offsetHeight)]);
  document.getElementById("heights").textContent = JSON.stringify(Object.fromEntries(found));
</script>"""
SECONDS = 60


def main(folder: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("pictures are drawn by Chromium, which is not installed: apt-get install chromium")
    styles = [style.read_text("utf-8") for style in STYLES]
    folder.mkdir(parents=True, exist_ok=True)
    drawn = pictures()
    heights = _heights(chromium, page(drawn, *styles) + MEASURE)
    for one in drawn:
        _draw(chromium, one, heights[one.name], page([one], *styles), folder / f"{one.name}.png")
    sys.stdout.write(f"{len(drawn)} pictures are in {folder}\n")


def _heights(chromium: str, html: str) -> dict[str, int]:
    """How high each picture becomes: a window has to have its size before it is drawn."""
    told = re.search(r"<pre id=\"heights\">(.*?)</pre>", _run(chromium, html, "--dump-dom"))
    if told is None:
        raise ValueError("Chromium did not run the page's script")
    return dict(json.loads(unescape(told[1])))


def _draw(chromium: str, one: Picture, height: int, html: str, path: Path) -> None:
    _run(chromium, html, f"--window-size={one.width},{height}", f"--screenshot={path.resolve()}")
    if not path.is_file():
        raise FileNotFoundError(path)


def _run(chromium: str, html: str, *asked: str) -> str:
    with tempfile.TemporaryDirectory(prefix="leverage-pictures-", ignore_cleanup_errors=True) as place:
        shown = Path(place) / "page.html"
        shown.write_text(html, "utf-8")
        command = [chromium, *FLAGS, f"--user-data-dir={place}/profile", *asked, shown.as_uri()]
        done = subprocess.run(command, capture_output=True, check=True, timeout=SECONDS)
        return done.stdout.decode()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.pictures FOLDER")
    main(Path(sys.argv[1]))
