"""Records of grades: what an earlier version wrote is still understood."""

from __future__ import annotations

import json

from nbjudge.record.records import Attempt, Mark, read_record, record_path

# As version 1 wrote it, before answers had digests and tests could run in the student's kernel.
VERSION_1 = {
    "student": "anna",
    "assignment": "ps1",
    "status": "graded",
    "reason": "",
    "inputs": {
        "submission": "ab" * 32,
        "source": "cd" * 32,
        "versions": {"nbjudge": "1.0.0", "python": "3.11.7"},
        "context": {"data": "stand-in"},
        "limits": {"cell_seconds": 30.0},
        "environment": {"KERAS_BACKEND": "tensorflow"},
        "seed": 1,
        "tier": "full",
        "submitted": "2026-06-12 15:00:00 UTC",
    },
    "started": "2026-06-13T08:00:00+00:00",
    "seconds": 2.5,
    "notebooks": [
        {
            "notebook": "ps1",
            "execution": "ef" * 32,
            "was_stored": False,
            "usage": {"seconds": 2.0},
            "attempts": [{"shift": 0, "score": 5.0, "measured": {}}],
            "notes": ["cell 3 was put back"],
        }
    ],
    "cells": [
        {
            "notebook": "ps1",
            "grade_id": "test_double",
            "score": 5.0,
            "max_score": 5.0,
            "message": "",
            "seconds": 0.1,
        }
    ],
    "kept": {
        "extension_seconds": 60.0,
        "marks": [
            {
                "notebook": "ps1",
                "grade_id": "essay",
                "score": 2.0,
                "extra_credit": None,
                "comment": "well said",
            }
        ],
    },
}


def test_a_record_of_version_1_is_understood(tmp_path):
    path = record_path(tmp_path, "ps1", "anna")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(VERSION_1))
    record = read_record(tmp_path, "ps1", "anna")
    assert record is not None
    assert (record.status, record.cells[0].score) == ("graded", 5.0)
    assert record.kept.marks == (Mark("ps1", "essay", 2.0, None, "well said"),)
    assert record.notebooks[0].attempts == (Attempt(0, 5.0),)
    assert record.notebooks[0].tests_in_kernel == ()


def test_a_damaged_record_is_none(tmp_path):
    path = record_path(tmp_path, "ps1", "anna")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(VERSION_1)[:-9])
    assert read_record(tmp_path, "ps1", "anna") is None
