//! How long things took.

/// A row of spans, in any unit.
#[derive(Default)]
pub(crate) struct Latencies(Vec<f64>);

impl Latencies {
    pub(crate) fn push(&mut self, span: f64) {
        self.0.push(span);
    }

    /// How many there are.
    pub(crate) fn n(&self) -> usize {
        self.0.len()
    }

    /// The span that so many percent do not exceed (nearest rank); 0 when there is none.
    pub(crate) fn percentile(&mut self, percent: usize) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut spans = Latencies((1..=200).rev().map(f64::from).collect());
        assert_eq!(spans.percentile(50), 100.0);
        assert_eq!(spans.percentile(99), 198.0);
        assert_eq!(spans.percentile(100), 200.0);
        assert_eq!(Latencies(vec![7.0]).percentile(50), 7.0);
        assert_eq!(Latencies::default().percentile(99), 0.0);
    }
}
