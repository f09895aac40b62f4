#!/usr/bin/env python3
"""Images of a private registry (Debian's docker-registry, with passwords): credentials come from
the vault and reach nobody but the engine; who has none gets nothing, also not what is here already;
what was fetched once starts again while the registry is away."""

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile

from engine import Engine
from foreign import Foreign, free_port
from stack import Stack, check, equal, run_test, skip, wait_for

PASSWORD = "s3cr3t-of-the-registry"


class Registry(Foreign):
    """Loopback only, as a process of the test."""

    def __init__(self):
        program = shutil.which("docker-registry")
        if not program:
            skip("docker-registry is missing; install Debian's package docker-registry")
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="lepton_registry.")
        super().__init__(f"{self.folder}/log")
        self.address = f"127.0.0.1:{free_port()}"

    def __enter__(self):
        with open(f"{self.folder}/passwords", "w", encoding="ascii") as file:
            file.write(hashed() + "\n")
        config = {"version": 0.1, "log": {"level": "error"},
                  "storage": {"filesystem": {"rootdirectory": f"{self.folder}/data"}},
                  "http": {"addr": self.address, "secret": "for-this-test"},
                  "auth": {"htpasswd": {"realm": "test", "path": f"{self.folder}/passwords"}}}
        with open(f"{self.folder}/config.yml", "w", encoding="ascii") as file:
            json.dump(config, file)
        self.start()
        wait_for("registry that listens", self.listens, 20)
        return self

    def words(self):
        return [self.program, "serve", f"{self.folder}/config.yml"]

    def listens(self):
        check(self.process.poll() is None, "the registry has ended")
        host, number = self.address.split(":")
        try:
            socket.create_connection((host, int(number)), 1).close()
        except OSError:
            return False
        return True

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def hashed():
    """A line for the registry's file of passwords; bcrypt is the only kind that it reads."""
    done = subprocess.run(["perl", "-e", "print crypt($ARGV[0], '$2b$04$abcdefghijklmnopqrstuu')",
                           PASSWORD], capture_output=True, text=True, check=True)
    check(done.stdout.startswith("$2b$"), f"a bcrypt hash: {done.stdout!r}")
    return "ann:" + done.stdout


def config_json(registry):
    packed = base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
    return json.dumps({"auths": {registry.address: {"auth": packed}}})


def publish(engine, registry):
    """The image is at the registry, and nowhere else. Its name."""
    name = f"{registry.address}/team/model:1"
    folder = f"{engine.folder}/publisher"
    os.makedirs(folder)
    with open(f"{folder}/config.json", "w", encoding="ascii") as file:
        file.write(config_json(registry))
    root = f"{engine.folder}/more"
    shutil.copytree(f"{engine.folder}/root", root, symlinks=True)
    with open(f"{root}/model", "w", encoding="ascii") as file:
        file.write("weights\n")
    subprocess.run(["tar", "-C", root, "-cf", f"{engine.folder}/more.tar", "."], check=True)
    for words in (("import", f"{engine.folder}/more.tar", name),
                  ("--config", folder, "push", name), ("rmi", name)):
        done = engine.docker(*words)
        equal(done.returncode, 0, f"{words[0]}: {done.stderr}")
    return name


def spec(name, image, **more):
    return {"name": name, "image": image, "command": ["sh", "-c", "cat /model; env"],
            "resources": {"cpus": "0.1", "memory": "64MiB"}, **more}


def ends(stack, job, states):
    view = stack.wait_job(job, states, 60)
    return json.dumps(view), stack.command("job", "logs", job).stdout


def refuses(stack, image, what, words, **more):
    print(f"  {what} is refused")
    view, _ = ends(stack, stack.apply(spec(what, image, **more)), {"failed"})
    for word in words:
        check(word in view, f"'{word}' in what {what} says: {view}")
    check(PASSWORD not in view, f"no password in what {what} says")


def runs(stack, image, name, credentials):
    _, log = ends(stack, stack.apply(spec(name, image, image_credentials=credentials)),
                  {"succeeded"})
    check("weights\n" in log, f"the image's own file in the log of {name}: {log}")
    check(PASSWORD not in log and "LEPTON_REGISTRY" not in log, f"what {name} has heard: {log}")


def leaves_no_trace(stack, engine):
    found = subprocess.run(["grep", "-rlaF", PASSWORD, str(stack.state), str(stack.folder),
                            f"{engine.folder}/data"], capture_output=True, text=True, check=False)
    equal(found.stdout, "", "files that hold the password")
    rows = stack.number("SELECT count(*) FROM auditor.audit_log WHERE detail::text LIKE "
                        f"'%{PASSWORD}%'")
    equal(rows, 0, "audit rows that hold it")
    reads = stack.number("SELECT count(*) FROM auditor.secret_reads WHERE resource LIKE "
                         "'secret/registry%'")
    check(reads > 0, "each read of the credentials is in the audit log")


def test():
    with Registry() as registry, Engine() as engine:
        os.environ["DOCKER_HOST"] = f"unix://{engine.socket}"
        with Stack(up=["--node-name", "here"]) as stack:
            image = publish(engine, registry)
            stack.run("secret", "put", "registry", "--stdin", text=f"ann:{PASSWORD}")
            stack.run("secret", "put", "registry-config", "--stdin", text=config_json(registry))
            stack.run("secret", "put", "registry-wrong", "--stdin", text="ann:wrong")
            refuses(stack, image, "stranger", ["could not be pulled", "image_credentials"])
            refuses(stack, image, "mistaken", ["could not be pulled"],
                    image_credentials="vault://registry-wrong")
            runs(stack, image, "owner", "vault://registry")
            runs(stack, image, "login", "vault://registry-config")
            refuses(stack, image, "neighbour", ["could not be pulled"])
            registry.stop()
            runs(stack, image, "again", "vault://registry")
            refuses(stack, image, "late", ["could not be pulled"],
                    image_credentials="vault://registry-wrong")
            leaves_no_trace(stack, engine)


if __name__ == "__main__":
    run_test(test)
