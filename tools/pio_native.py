"""PlatformIO script of env:native: sanitizers at link time too; unit tests without the host program, built quickly."""

Import("env")  # noqa: F821  (SCons gives it)


def the_same_for_every_test(env, node):
    """Firmware objects, without the one include path that would have them compiled anew for each test folder."""
    return env.Object(node, CPPPATH=[path for path in env["CPPPATH"] if "$PROJECT_TEST_DIR" not in str(path)])


def quick_to_compile(env, node):
    """A doctest program, whose main() with both sanitizers takes g++ 19 s to optimise and 5 s not to."""
    return env.Object(node, CCFLAGS=["-O0" if flag == "-O1" else flag for flag in env["CCFLAGS"]])


flags = env.ParseFlagsExtended(env.get("BUILD_FLAGS"))["CCFLAGS"]  # noqa: F821
env.Append(LINKFLAGS=[flag for flag in flags if "sanitize" in flag])  # noqa: F821
if "test" in env.GetBuildType():  # noqa: F821
    env.Append(SRC_FILTER=["-<boards/native/>"])  # noqa: F821
    env.AddBuildMiddleware(the_same_for_every_test, env.subst("$PROJECT_SRC_DIR/*"))  # noqa: F821
    env.AddBuildMiddleware(quick_to_compile, env.subst("$PROJECT_TEST_DIR/*"))  # noqa: F821
else:
    env.Replace(PROGNAME="hardwear")  # noqa: F821  (the test program is `program`: neither overwrites the other)
