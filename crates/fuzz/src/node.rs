//! An expression as text with subexpressions, so that it can be made smaller.

/// An expression: pieces of text and subexpressions in turn.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Child(Node),
}

impl Node {
    /// An expression without subexpressions.
    pub fn text(text: impl Into<String>) -> Self {
        Self { pieces: vec![Piece::Text(text.into())] }
    }

    /// An expression from a pattern, where each `%` stands for the next subexpression.
    pub fn of(pattern: &str, children: Vec<Node>) -> Self {
        let mut node = Self::default();
        let mut children = children.into_iter();
        for (at, text) in pattern.split('%').enumerate() {
            if at > 0
                && let Some(child) = children.next()
            {
                node.pieces.push(Piece::Child(child));
            }
            node.pieces.push(Piece::Text(text.to_owned()));
        }
        node
    }

    /// The text of the whole expression.
    pub fn render(&self) -> String {
        let mut out = String::new();
        self.render_into(&mut out);
        out
    }

    fn render_into(&self, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Child(child) => child.render_into(out),
            }
        }
    }

    /// How many expressions it consists of.
    pub fn size(&self) -> usize {
        let children =
            self.pieces.iter().map(|piece| if let Piece::Child(child) = piece { child.size() } else { 0 });
        1 + children.sum::<usize>()
    }

    /// Smaller expressions: each subexpression in the place of the whole or of a constant.
    pub fn smaller(&self) -> Vec<Node> {
        let mut all = Vec::new();
        for piece in &self.pieces {
            if let Piece::Child(child) = piece {
                all.push(child.clone());
            }
        }
        for (at, piece) in self.pieces.iter().enumerate() {
            let Piece::Child(child) = piece else { continue };
            let mut replacements = child.smaller();
            if child.size() > 1 || !matches!(child.render().as_str(), "1" | "\"\"" | "{ }" | "[ ]") {
                replacements.extend(["1", "\"\"", "{ }", "[ ]"].map(Node::text));
            }
            for replacement in replacements {
                let mut node = self.clone();
                if let Some(place) = node.pieces.get_mut(at) {
                    *place = Piece::Child(replacement);
                    all.push(node);
                }
            }
        }
        all
    }
}
