"""A Docker engine of the test's own, with one image of a static busybox."""

import os
import shutil
import subprocess
import tempfile

from stack import skip, wait_for

IMAGE = "lepton-test/busybox:1"
WORDS = ("sh", "sleep", "echo", "cat", "id", "env")


class Engine:
    def __init__(self):
        if os.geteuid() != 0:
            skip("only root can start a Docker engine")
        for program in ("dockerd", "docker", "busybox"):
            if not shutil.which(program):
                skip(f"{program} is missing; install docker.io and busybox-static")
        self.folder = tempfile.mkdtemp(prefix="lepton_engine.")
        self.socket = f"{self.folder}/docker.sock"
        self.daemon = None

    def __enter__(self):
        at = self.folder
        with open(f"{at}/log", "wb") as log:
            self.daemon = subprocess.Popen(
                ["dockerd", f"--data-root={at}/data", f"--exec-root={at}/run",
                 f"--pidfile={at}/pid", f"--host=unix://{self.socket}", "--bridge=none",
                 "--iptables=false", "--ip6tables=false"],
                stdout=log, stderr=log, start_new_session=True)
        wait_for("Docker engine that answers or ends",
                 lambda: self.daemon.poll() is not None or self.docker("info").returncode == 0, 60)
        if self.daemon.poll() is not None:
            skip("this machine does not let a Docker engine start")
        self.make_image()
        return self

    def __exit__(self, *_):
        if self.daemon.poll() is None:
            self.daemon.terminate()
            self.daemon.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def docker(self, *words):
        return subprocess.run(["docker", "-H", f"unix://{self.socket}", *words],
                              capture_output=True, text=True, check=False)

    def make_image(self):
        root = f"{self.folder}/root"
        os.makedirs(f"{root}/bin")
        shutil.copy(shutil.which("busybox"), f"{root}/bin/busybox")
        for word in WORDS:
            os.symlink("busybox", f"{root}/bin/{word}")
        subprocess.run(["tar", "-C", root, "-cf", f"{self.folder}/image.tar", "."], check=True)
        done = self.docker("import", f"{self.folder}/image.tar", IMAGE)
        if done.returncode != 0:
            raise RuntimeError(f"the image was not taken: {done.stderr}")
