import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.evaluation import locking
from stratagem.evaluation.locking import LOCK, InUseError, locked
from stratagem.evaluation.storage import (
    DamagedError,
    ForeignError,
    NotWritableError,
    content_hash,
    joint_hash,
    object_bytes,
    part_name,
    read_manifest,
    read_object,
    read_table,
    read_tables,
    replace_file,
    strays,
    sweep,
    table_bytes,
    verified,
    writable,
    write_bytes,
    write_manifest,
    write_table,
)

pytest.importorskip("pyarrow")

COLUMNS = {
    "who": np.array(["ann", "bo", "ann"]),
    "root": np.array([2**64 - 1, 0, 5], np.uint64),
    "count": np.array([1, 2, 3]),
    "reward": np.array([0.1, np.nan, -3.0]),
    "ended": np.array([True, False, True]),
}


def same(a, b):
    return list(a) == list(b) and all(
        a[k].dtype.kind == b[k].dtype.kind and np.array_equal(a[k], b[k], equal_nan=k == "reward")
        for k in a
    )


def test_a_part_is_read_as_it_was_written(tmp_path):
    write_table(tmp_path / "a.parquet", COLUMNS, "made so")
    assert same(read_table(tmp_path / "a.parquet"), COLUMNS)
    assert verified(tmp_path / "a.parquet", "made so") == content_hash(COLUMNS)
    with pytest.raises(ForeignError, match=r"a\.parquet' was made by another") as error:
        verified(tmp_path / "a.parquet", "made otherwise")
    assert error.value.made == "made so"
    with pytest.raises(FileNotFoundError):
        verified(tmp_path / "b.parquet", "made so")
    both = read_tables(tmp_path, ["a.parquet", "a.parquet"])
    assert both["count"].tolist() == [1, 2, 3, 1, 2, 3]
    with pytest.raises(ValueError, match="holds no rows"):
        read_tables(tmp_path, [])


def test_the_same_columns_give_the_same_bytes():
    assert table_bytes(COLUMNS, "x") == table_bytes({k: v.copy() for k, v in COLUMNS.items()}, "x")


@given(name=st.sampled_from(list(COLUMNS)), row=st.integers(0, 2))
def test_a_hash_of_contents_changes_with_any_value_name_or_kind(name, row):
    changed = {k: v.copy() for k, v in COLUMNS.items()}
    old = changed[name][row]
    changed[name][row] = {"U": "cy", "u": 7, "i": 7, "f": 0.25, "b": not old}[old.dtype.kind]
    assert content_hash(changed) != content_hash(COLUMNS)
    renamed = {f"{k}_" if k == name else k: v for k, v in COLUMNS.items()}
    assert content_hash(renamed) != content_hash(COLUMNS)
    fewer = {k: np.delete(v, row) for k, v in COLUMNS.items()}
    assert content_hash(fewer) != content_hash(COLUMNS)


def test_a_hash_tells_texts_that_are_split_otherwise():
    one, other = {"a": np.array(["ab", "c"])}, {"a": np.array(["a", "bc"])}
    assert content_hash(one) != content_hash(other)


def test_a_joint_hash_does_not_depend_on_the_order_of_parts():
    hashes = {"b": "1", "a": "2", "c": "3"}
    assert joint_hash(hashes) == joint_hash(dict(sorted(hashes.items())))
    assert joint_hash(hashes) != joint_hash({**hashes, "c": "4"})
    assert joint_hash(hashes) != joint_hash({"b": "1", "a": "2"})


def test_a_part_cut_off_anywhere_is_found_out(tmp_path):
    path, whole = tmp_path / "a.parquet", table_bytes(COLUMNS, "x")
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedError, match=r"a\.parquet"):
            verified(path, "x")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_part_with_a_changed_byte_is_found_out_or_holds_the_same_rows(tmp_path_factory, data):
    path, whole = tmp_path_factory.mktemp("flip") / "a.parquet", table_bytes(COLUMNS, "x")
    at = data.draw(st.integers(0, len(whole) - 1))
    bits = data.draw(st.integers(1, 255))
    path.write_bytes(whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :])
    try:
        found = read_table(path)
    except DamagedError:
        return
    assert same(found, COLUMNS)


def test_what_was_learnt_is_read_only_if_it_is_whole_and_of_this_configuration(tmp_path):
    path, whole = tmp_path / "a.pickle", object_bytes({"a": np.arange(3)}, "x")
    write_bytes(path, whole)
    assert read_object(path, "x")["a"].tolist() == [0, 1, 2]
    assert verified(path, "x")
    with pytest.raises(ForeignError, match="by another configuration"):
        read_object(path, "y")
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedError, match="damaged"):
            verified(path, "x")
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        with pytest.raises(DamagedError, match="damaged"):
            verified(path, "x")


def test_a_part_with_other_columns_is_no_part(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, COLUMNS, "x")
    assert verified(path, "x", list(COLUMNS))
    with pytest.raises(DamagedError, match=r"other columns than it should: \['more'\]"):
        verified(path, "x", [*COLUMNS, "more"])
    with pytest.raises(DamagedError, match="the same in another order"):
        verified(path, "x", [*COLUMNS][::-1])


def test_parts_have_the_types_that_they_should_and_no_nulls_on_any_machine(tmp_path):
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    narrow = {**COLUMNS, "count": COLUMNS["count"].astype("i4"), "root": COLUMNS["root"]}
    write_table(path, narrow, "x")
    schema = pq.read_schema(path)
    assert {field.name: str(field.type) for field in schema} == {
        "who": "string", "root": "uint64", "count": "int64", "reward": "double", "ended": "bool",
    }  # fmt: skip
    assert not any(field.nullable for field in schema)
    assert pq.read_table(path)["reward"].null_count == 0
    assert content_hash(narrow) == content_hash(COLUMNS)
    swapped = {k: v.astype(v.dtype.newbyteorder(">")) for k, v in COLUMNS.items()}
    assert content_hash(swapped) == content_hash(COLUMNS)


def test_every_pattern_of_nan_has_the_same_hash_and_the_zeros_have_two():
    patterns = np.array([0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000001], np.uint64)
    hashes = {content_hash({"a": one.view(np.float64)}) for one in patterns.reshape(3, 1)}
    assert len(hashes) == 1
    zeros = {content_hash({"a": np.array([zero])}) for zero in (0.0, -0.0)}
    assert len(zeros) == 2


def test_a_file_whose_writing_fails_stays_as_it_was(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_bytes(path, b"old")

    def torn(beside):
        beside.write_bytes(b"ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(NotWritableError, match=r"cannot write .*a.txt.*: No space left on device"):
        replace_file(path, torn)
    assert path.read_bytes() == b"old"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_limit_on_the_size_of_files_is_one_clear_error_and_leaves_nothing(tmp_path):
    pytest.importorskip("resource")
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from stratagem.evaluation.storage import NotWritableError, write_bytes\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write_bytes(Path(sys.argv[1]) / 'small', bytes(1000))\n"
        "try:\n    write_bytes(Path(sys.argv[1]) / 'large', bytes(1001))\n"
        "except NotWritableError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"cannot write {str(tmp_path / 'large')!r}: File too large\n"
    assert [p.name for p in tmp_path.iterdir()] == ["small"]


def test_leftovers_of_killed_writers_are_swept_and_finished_files_stay(tmp_path):
    write_bytes(tmp_path / "rows" / "a.parquet", b"x")
    (tmp_path / "rows" / ".a.parquet.77.part").write_bytes(b"torn")
    sweep(tmp_path)
    assert [p.name for p in (tmp_path / "rows").iterdir()] == ["a.parquet"]
    assert strays(tmp_path, [tmp_path / "rows" / "a.parquet"]) == []
    assert strays(tmp_path, []) == [tmp_path / "rows" / "a.parquet"]


def test_names_of_parts_tell_line_ups_that_read_alike_apart():
    names = {
        part_name("s-v0", lineup, "0-9") for lineup in ("fixed:1", "fixed 1", "fixed-1", "a" * 99)
    }
    assert len(names) == 4
    assert max(map(len, names)) < 100
    assert part_name("s-v0", "fixed:1", "0-9") != part_name("s-v0", "fixed:1", "10-19")


def test_a_manifest_is_read_as_it_was_written_and_torn_ones_are_refused(tmp_path):
    write_manifest(tmp_path, {"suite": "core", "seeds": 3})
    assert read_manifest(tmp_path) == {"suite": "core", "seeds": 3}
    (tmp_path / "manifest.json").write_text('{"suite": ')
    with pytest.raises(ValueError, match=r"no readable manifest.json"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("[1]")
    with pytest.raises(ValueError, match="not a JSON object"):
        read_manifest(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(NotWritableError, match="not writable"):
        writable(tmp_path / "x")


def test_a_folder_under_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritableError, match="not writable: Not a directory"):
        writable(tmp_path / "file" / "x")


def test_a_system_without_file_locks_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "find_spec", lambda name: None)
    told = []
    with locked(tmp_path, told.append):
        assert not (tmp_path / LOCK).exists()
    assert told == [f"this system has no file locks: let no other run write to {str(tmp_path)!r}"]


def test_a_second_run_in_one_folder_is_told_who_works_there(tmp_path):
    told = []
    with (
        locked(tmp_path, told.append),
        pytest.raises(InUseError, match=f"in use by process {os.getpid()} on .*, started 20"),
        locked(tmp_path, told.append),
    ):
        pass
    assert not (tmp_path / LOCK).exists()
    with pytest.raises(KeyError), locked(tmp_path, told.append):
        raise KeyError
    assert not (tmp_path / LOCK).exists()
    assert told == []


def test_the_lock_of_another_process_holds_while_it_lives_and_is_taken_over_after(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom stratagem.evaluation.locking import locked\n"
        "with locked(Path(sys.argv[1]), print):\n    print('ready', flush=True)\n    input()\n"
    )
    told = []
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "ready\n"
        with (
            pytest.raises(InUseError, match=f"process {other.pid} .* is alive"),
            locked(tmp_path, told.append),
        ):
            pass
        other.kill()
    assert json.loads((tmp_path / LOCK).read_text())["pid"] == other.pid
    with locked(tmp_path, told.append):
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()
    assert len(told) == 1
    assert f"from process {other.pid} " in told[0]
    assert "did not end in order" in told[0]
