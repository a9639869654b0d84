//! Connected components by union-find.

/// Disjoint sets of the numbers below a bound; the smallest member names its set.
#[derive(Clone, Debug)]
pub struct Forest {
    parent: Vec<u32>,
    size: Vec<u32>,
}

impl Forest {
    /// Each number in a set of its own.
    #[must_use]
    pub fn new(num_nodes: usize) -> Self {
        Self { parent: (0..num_nodes as u32).collect(), size: vec![1; num_nodes] }
    }

    /// The smallest member of the node's set.
    pub fn find(&mut self, mut node: u32) -> u32 {
        while self.parent[node as usize] != node {
            let grandparent = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = grandparent;
            node = grandparent;
        }
        node
    }

    /// Joins two sets unless the joint set would have more than `limit` members; says whether they are one now.
    pub fn join(&mut self, a: u32, b: u32, limit: usize) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return true;
        }
        let size = self.size[a as usize] + self.size[b as usize];
        if size as usize > limit {
            return false;
        }
        let (low, high) = (a.min(b), a.max(b));
        self.parent[high as usize] = low;
        self.size[low as usize] = size;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::naive;
    use proptest::prelude::*;

    #[test]
    fn the_limit_holds() {
        let mut forest = Forest::new(4);
        assert!(forest.join(0, 1, 2));
        assert!(!forest.join(1, 2, 2));
        assert!(forest.join(2, 3, 2));
        assert_eq!(forest.find(3), 2);
    }

    proptest! {
        #[test]
        fn agrees_with_breadth_first(edges in prop::collection::vec((0u32..40, 0u32..40), 0..40)) {
            let mut forest = Forest::new(40);
            for (a, b) in &edges {
                forest.join(*a, *b, usize::MAX);
            }
            let labels: Vec<u32> = (0..40).map(|n| forest.find(n)).collect();
            prop_assert_eq!(labels, naive::components(40, &edges));
        }
    }
}
