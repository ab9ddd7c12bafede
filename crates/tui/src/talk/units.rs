//! Which lines are shown together: comings and goings in a row are one sentence, everything else stands alone.

use std::ops::Range;

use chinwag_client::{Line, LineKind, Lines};

/// So many comings and goings are told in one sentence at most.
const TOGETHER_MAX: usize = 60;

/// Whether a line is somebody coming or going.
pub fn presence(line: &Line) -> bool {
    matches!(line.kind, LineKind::Join | LineKind::Part | LineKind::Quit | LineKind::Nick)
}

/// The lines that are shown together with the one at `index`. `breaks` says before which lines something new begins in
/// any case.
pub fn around(lines: &Lines, index: usize, breaks: impl Fn(usize) -> bool) -> Range<usize> {
    let is = |index: usize| lines.get(index).is_some_and(presence);
    if !is(index) {
        return index..index + 1;
    }
    let mut start = index;
    // Runs are cut where they begin, not around the index: the same wherever one asks. A run that is longer than can
    // be told at once is cut by the lines' own names, which do not change when others come.
    let cut = |at: usize| lines.get(at).is_some_and(|line| line.id.0.is_multiple_of(TOGETHER_MAX as u64));
    while start > 0 && is(start - 1) && !breaks(start) && !cut(start) {
        start -= 1;
    }
    let mut end = index + 1;
    while is(end) && !breaks(end) && !cut(end) {
        end += 1;
    }
    start..end
}
