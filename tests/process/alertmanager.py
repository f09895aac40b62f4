"""A real Alertmanager (Debian's prometheus-alertmanager) in a folder of its own."""

import json
import pathlib
import shutil
import tempfile
import urllib.request

from foreign import Foreign, free_port

PROGRAM = "prometheus-alertmanager"


class Alertmanager(Foreign):
    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="lepton-alerts-")
        self.folder = pathlib.Path(self.temporary.name)
        super().__init__(self.folder / "log")
        (self.folder / "config.yml").write_text(
            json.dumps({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api/v2/alerts"
        self.url_file = self.folder / "url"
        self.url_file.write_text(self.url + "\n")
        self.url_file.chmod(0o600)

    @staticmethod
    def is_there():
        return shutil.which(PROGRAM) is not None

    def words(self):
        return [PROGRAM, f"--config.file={self.folder}/config.yml",
                f"--storage.path={self.folder}/data", "--cluster.listen-address=",
                f"--web.listen-address=127.0.0.1:{self.port}"]

    def __exit__(self, *_):
        self.stop()
        self.temporary.cleanup()

    def alerts(self, **labels):
        """What fires there now, with these labels."""
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                fires = json.load(answer)
        except OSError:
            return []
        return [alert for alert in fires if labels.items() <= alert["labels"].items()]
