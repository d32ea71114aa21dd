"""How big a change is: a class by lines, used only to compare like with like (docs/method.md, "Size classes").

Generated, vendored and lock files do not count; they are known by name and place alone, no content is read.
"""

import re
from bisect import bisect_right
from enum import StrEnum
from fnmatch import translate


class SizeClass(StrEnum):
    XS = "XS"
    S = "S"
    M = "M"
    L = "L"
    XL = "XL"


CLASSES = tuple(SizeClass)
STARTS = (10, 30, 100, 500)

VENDORED = """
    node_modules bower_components jspm_packages .yarn vendor vendored _vendor third_party third-party thirdparty
    godeps pods carthage site-packages elm-stuff .dart_tool .terraform
"""
MADE = """
    dist generated __generated__ storybook-static .next .nuxt .svelte-kit __pycache__
    __snapshots__ __image_snapshots__ __recordings__ cassettes
"""
LOCKS = """
    *.lock *.lockb *.lockfile *.lock.json *.lock.yaml *.lock.yml *.lock.hcl
    package-lock.json packages-lock.json npm-shrinkwrap.json pnpm-lock.yaml shrinkwrap.yaml conda-lock.yml
    go.sum go.work.sum package.resolved cartfile.resolved cabal.project.freeze gems.locked
    .pnp.cjs .pnp.js .pnp.loader.mjs
"""
GENERATED = """
    *.min.js *.min.mjs *.min.css *-min.js *.bundle.js *.js.map *.mjs.map *.cjs.map *.css.map *.ts.map *.tsbuildinfo
    *.pb.go *.pb.gw.go *.pb.cc *.pb.c *.pb.h *.pb.swift *.pbobjc.h *.pbobjc.m *_pb.js *_pb.ts *_pb.d.ts *_pb.rb
    *_pb2.py *_pb2.pyi *_pb2_grpc.py *_pb2_grpc.pyi
    *.generated.* *_generated.* *.gen.* zz_generated.* wire_gen.go *_bindata.go bindata.go *_easyjson.go *_templ.go
    *.sql.go *.g.dart *.freezed.dart *.gr.dart *.mocks.dart *.pb.dart *.pbenum.dart *.pbjson.dart *.pbgrpc.dart
    *.pbserver.dart *.g.cs *.g.i.cs *.designer.cs *.designer.vb
    project.pbxproj *.xcworkspacedata gradlew gradlew.bat gradle-wrapper.properties mvnw mvnw.cmd
    *.snap *.ambr
"""
DIRECTORIES = frozenset((VENDORED + MADE).split())
FILES = re.compile("|".join(map(translate, (LOCKS + GENERATED).split())))


def size_class(lines: int) -> SizeClass:
    """The class of a change by its added and deleted lines in counted files."""
    return CLASSES[bisect_right(STARTS, lines)]


def is_counted_file(path: str) -> bool:
    """Whether people wrote the file at this path (slashes between, any case), as far as its name and place tell."""
    *directories, name = path.lower().split("/")
    return DIRECTORIES.isdisjoint(directories) and not FILES.match(name)
