import pytest

from bot.domain.metrics.size import is_counted_file

LEFT_OUT = """
package-lock.json web/package-lock.json npm-shrinkwrap.json pnpm-lock.yaml yarn.lock bun.lock bun.lockb deno.lock
Cargo.lock poetry.lock uv.lock pdm.lock Pipfile.lock requirements.lock conda-lock.yml go.sum go.work.sum Gemfile.lock
composer.lock flake.lock mix.lock pubspec.lock Podfile.lock Package.resolved packages.lock.json gradle.lockfile
.terraform.lock.hcl MODULE.bazel.lock Chart.lock .pnp.cjs
static/app.min.js static/app.min.css static/app.js.map api/user.pb.go api/user_pb2.py api/user_pb2_grpc.py
api/user_pb2.pyi web/user_pb.ts cpp/user.pb.cc cpp/user.pb.h src/schema.generated.ts src/routeTree.gen.ts
lib/user.g.dart lib/user.freezed.dart api/zz_generated.deepcopy.go di/wire_gen.go fbs/user_generated.h
Forms/Main.Designer.cs ios/App.xcodeproj/project.pbxproj gradlew
vendor/github.com/x/y.go deep/vendor/a.rb node_modules/a/index.js third_party/zlib/zlib.c dist/index.js lib/dist/a.css
src/__generated__/types.ts ios/Pods/A/a.m .yarn/releases/yarn.cjs
src/__snapshots__/view.test.ts src/view.snap tests/__snapshots__/test_view.ambr
"""
COUNTED = """
README.md package.json pyproject.toml Cargo.toml go.mod Gemfile Makefile vendor.go src/vendor.py dist.py
src/lock.py src/locked.json src/deadlock.md locks/reader.go src/minify.js src/admin.js src/min.js src/generated.py
src/generator.py src/snapshot.py snapshots/index.md src/distribution/normal.py protos/user.proto src/pb.go
src/App.tsx migrations/0001_initial.sql docs/map.md src/gen.go
"""


@pytest.mark.parametrize("path", LEFT_OUT.split())
def test_a_file_that_nobody_wrote_by_hand_does_not_count(path: str) -> None:
    assert not is_counted_file(path)
    assert not is_counted_file(path.upper())


@pytest.mark.parametrize("path", COUNTED.split())
def test_a_file_that_only_sounds_generated_counts(path: str) -> None:
    assert is_counted_file(path)
