"""A course: its folder, its configuration and its gradebook."""

from nbjudge.course.course import CONFIG_FILE, Course, course_of, load_course

__all__ = ["CONFIG_FILE", "Course", "course_of", "load_course"]
