//! A flame graph as one SVG file that explains itself: the root at the top, what it called below, as wide as the time
//! that it took. A browser shows details under the pointer, enlarges what is clicked, and finds what is typed.

use crate::profile::Profile;
use nival_eval::FrameKind;
use std::fmt::Write as _;

const WIDTH: f64 = 1400.0;
const ROW: f64 = 18.0;
const TOP: f64 = 76.0;
const SIDE: f64 = 16.0;
/// What is narrower than this, in pixels, is left out.
const NARROWEST: f64 = 0.35;

struct Rectangle<'a> {
    at: usize,
    x: f64,
    width: f64,
    depth: usize,
    profile: &'a Profile,
}

/// Draws the graph.
pub fn draw(profile: &Profile) -> String {
    let mut boxes = Vec::new();
    let total = profile.total().max(1) as f64;
    let scale = (WIDTH - 2.0 * SIDE) / total;
    let mut children = vec![Vec::new(); profile.frames.len()];
    for at in 1..profile.frames.len() {
        children[profile.frames[at].parent].push(at);
    }
    for list in &mut children {
        list.sort_by_key(|at| std::cmp::Reverse(profile.totals[*at]));
    }
    let mut work = vec![(0, SIDE, 0)];
    while let Some((at, x, depth)) = work.pop() {
        let width = profile.totals.get(at).copied().unwrap_or(0) as f64 * scale;
        if width < NARROWEST {
            continue;
        }
        boxes.push(Rectangle { at, x, width, depth, profile });
        let mut next = x;
        for child in &children[at] {
            work.push((*child, next, depth + 1));
            next += profile.totals[*child] as f64 * scale;
        }
    }
    let depth = boxes.iter().map(|one| one.depth).max().unwrap_or(0);
    let height = TOP + (depth + 1) as f64 * ROW + 48.0;
    let mut svg = head(height, total / 1e3);
    boxes.iter().for_each(|one| one.draw(&mut svg, total));
    let _ = write!(svg, "</g>\n<script><![CDATA[{SCRIPT}]]></script>\n</svg>\n");
    svg
}

fn head(height: f64, millis: f64) -> String {
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">
<style>{STYLE}</style>
<rect class="paper" width="100%" height="100%"/>
<text x="{SIDE}" y="28" class="title">Where evaluation spent {millis:.0} ms</text>
<text x="{SIDE}" y="50" id="detail" class="detail">Point at a box for its details, click to enlarge it, press / to search, Escape to go back.</text>
<text x="{right}" y="28" text-anchor="end" id="found" class="detail"></text>
<g id="boxes">
"##,
        right = WIDTH - SIDE,
    )
}

impl Rectangle<'_> {
    fn draw(&self, svg: &mut String, total: f64) {
        let frame = &self.profile.frames[self.at];
        let y = TOP + self.depth as f64 * ROW;
        let millis = self.profile.totals[self.at] as f64 / 1e3;
        let share = millis * 1e5 / total;
        let own = frame.micros as f64 / 1e3;
        let name = escaped(&frame.name);
        let place =
            if frame.place.is_empty() { String::new() } else { format!(" · {}", escaped(&frame.place)) };
        let detail = format!(
            "{name}{place} · {millis:.1} ms ({share:.1}%), {own:.1} ms of its own · entered {} times",
            frame.calls
        );
        let (x, width) = (self.x, self.width);
        let _ = write!(
            svg,
            r#"<g class="box" data-x="{x:.2}" data-w="{width:.2}" data-n="{name}" data-d="{}"><title>{detail}</title><rect x="{x:.2}" y="{y}" width="{:.2}" height="{:.0}" rx="2" fill="{}"/>"#,
            self.depth,
            (width - 0.4).max(0.2),
            ROW - 1.0,
            colour(frame.kind, &frame.file),
        );
        let _ = write!(
            svg,
            r#"<text x="{:.2}" y="{:.1}">{}</text></g>"#,
            x + 4.0,
            y + 12.5,
            fitting(&frame.name, width)
        );
        svg.push('\n');
    }
}

/// As much of a name as fits into a box.
fn fitting(name: &str, width: f64) -> String {
    let room = ((width - 8.0) / 6.7).max(0.0) as usize;
    if room < 3 {
        return String::new();
    }
    if name.chars().count() <= room {
        return escaped(name);
    }
    escaped(&format!("{}…", name.chars().take(room - 1).collect::<String>()))
}

/// Functions of one file have one colour; what is no function has a quiet one of its kind.
fn colour(kind: FrameKind, file: &str) -> String {
    match kind {
        FrameKind::Root => "#c9ced6".to_owned(),
        FrameKind::Builtin => "#b9c6d8".to_owned(),
        FrameKind::Reading => "#9fc9e8".to_owned(),
        FrameKind::Copying => "#a9d8b0".to_owned(),
        FrameKind::Function => {
            let hash = file.bytes().fold(5381_u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte));
            format!("hsl({} {}% {}%)", 12 + hash % 48, 78 + hash / 48 % 12, 66 + hash / 577 % 12)
        }
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            other if other < ' ' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

const STYLE: &str = "
.paper { fill: #fbfaf7 } text { font: 11px ui-monospace, 'DejaVu Sans Mono', Menlo, monospace; fill: #1d1d1f }
.title { font: 600 17px system-ui, sans-serif } .detail { font: 12.5px system-ui, sans-serif; fill: #55555c }
.box { cursor: pointer } .box text { pointer-events: none } .box:hover rect { stroke: #1d1d1f; stroke-width: 1.2 }
.dim { opacity: .28 } .hit rect { fill: #c659d6 }
@media (prefers-color-scheme: dark) { .paper { fill: #17181b } .title { fill: #f2f2f2 } .detail { fill: #a9abb2 } }
";

const SCRIPT: &str = r#"
const side = 16, width = 1368, boxes = [...document.querySelectorAll('.box')];
const detail = document.getElementById('detail'), found = document.getElementById('found'), hint = detail.textContent;
const all = boxes.map(g => ({ g, x: +g.dataset.x, w: +g.dataset.w, d: +g.dataset.d, name: g.dataset.n,
  rect: g.querySelector('rect'), text: g.querySelector('text') }));
function show(left, w, depth) {
  const k = width / w;
  for (const b of all) {
    const outer = b.d < depth && b.x <= left + .01 && b.x + b.w >= left + w - .01;
    const x = outer ? side : side + (b.x - left) * k, wide = outer ? width : b.w * k;
    const seen = outer || (b.x >= left - .01 && b.x + b.w <= left + w + .01 && wide > .2);
    b.g.style.display = seen ? '' : 'none';
    if (!seen) continue;
    b.rect.setAttribute('x', x); b.rect.setAttribute('width', Math.max(wide - .4, .2)); b.text.setAttribute('x', x + 4);
    const room = Math.floor((wide - 8) / 6.7);
    b.text.textContent = room < 3 ? '' : b.name.length <= room ? b.name : b.name.slice(0, room - 1) + '…';
    b.g.classList.toggle('dim', outer);
  }
}
for (const b of all) {
  b.g.addEventListener('mouseenter', () => detail.textContent = b.g.querySelector('title').textContent);
  b.g.addEventListener('mouseleave', () => detail.textContent = hint);
  b.g.addEventListener('click', () => show(b.x, b.w, b.d));
}
function search(word) {
  let ends = {}, sum = 0;
  for (const b of all) b.g.classList.toggle('hit', !!word && b.name.includes(word));
  for (const b of all.filter(b => word && b.name.includes(word)).sort((a, b) => a.d - b.d || a.x - b.x))
    if (!Object.values(ends).some(([x, w]) => b.x >= x - .01 && b.x + b.w <= x + w + .01)) { ends[b.x + ':' + b.d] = [b.x, b.w]; sum += b.w; }
  found.textContent = word ? `${word}: ${(100 * sum / width).toFixed(1)}%` : '';
}
addEventListener('keydown', event => {
  if (event.key === 'Escape') { show(side, width, 0); search(''); }
  if (event.key === '/') { event.preventDefault(); search(prompt('Which name?') || ''); }
});
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use nival_eval::ProfileFrame;

    #[test]
    fn boxes_are_as_wide_as_their_time() {
        let frame = |parent, name: &str, micros| ProfileFrame {
            parent,
            kind: FrameKind::Function,
            name: name.to_owned(),
            place: "/a.nix:1:1".to_owned(),
            file: "/a.nix".to_owned(),
            micros,
            calls: 1,
        };
        let frames =
            vec![frame(0, "all", 0), frame(0, "a<b", 3000), frame(1, "inner", 1000), frame(0, "tiny", 0)];
        let svg = draw(&Profile::new(frames));
        assert!(svg.contains(r#"data-w="1368.00" data-n="all""#), "{svg}");
        assert!(
            svg.contains(r#"data-w="342.00" data-n="inner""#) && svg.contains("a&lt;b · /a.nix:1:1 · 4.0 ms")
        );
        assert!(!svg.contains("tiny"));
    }
}
