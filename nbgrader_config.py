"""The one configuration file: nbgrader's settings, nbjudge's and this course's together."""

from pathlib import Path

from nbjudge.configure import configure

c = get_config()
configure(c)

c.CourseDirectory.course_id = "introduction-to-deep-learning"

# Half day by half day; the formgrader sorts by due date.
c.Grading.teaching_order = [
    "neurons",
    "penguins",
    "weather",
    "image-data",
    "convnet",
    "dropout",
    "text",
    "augment",
]

# The first and the last cells of every notebook, and what a release does to make it work in
# Jupyter, VS Code and Colab: see docs/how-to/finish-notebooks.md.
c.IncludeHeaderFooter.header = str(Path(__file__).parent / "source" / "header.ipynb")
c.IncludeHeaderFooter.footer = str(Path(__file__).parent / "source" / "footer.ipynb")
c.GenerateAssignment.preprocessors.insert(1, "dlcourse.finishing.FinishNotebook")
# Pictures that are put into the notebooks; students' own have other names.
c.CourseDirectory.ignore.append("*.embedded.png")
# Where students get the course from, and how they hand in: these are yours to fill in.
c.FinishNotebook.address = ""
c.FinishNotebook.colab = ""
c.FinishNotebook.hand_in = "Hand in this file as your course says."

# Seconds that one cell may run. Training takes a minute or two on two cores.
c.Grading.cell_seconds_for = {
    "neurons": 300,
    "penguins": 300,
    "weather": 240,
    "image-data": 30,
    "convnet": 600,
    "dropout": 900,
    "text": 300,
    "augment": 300,
}

# One TensorFlow thread for each of the notebooks that are graded side by side: faster than
# one notebook with all threads, and the same seed gives the same result.
c.Grading.kernel_environment = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

# What the notebooks load, and what only the judge has.
c.Grading.data = "dlcourse.grading:grading_data"

# What an unanswered task of a released notebook may raise.
c.Grading.expected_release_errors = ["NotImplementedError", "NotAttempted"]
