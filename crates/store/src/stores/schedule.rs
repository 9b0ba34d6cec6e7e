//! Doing many things at the same time, each behind those that it needs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Does the same for each of a list; results are in the list's order.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = threads.min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        while let Some((at, item)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, item))
        } {
            done.push((at, work(item)));
        }
        done
    };
    let mut all = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<(usize, R)>>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, result)| result).collect()
}

struct State<E> {
    /// How many of a node's needs are not done.
    open: Vec<usize>,
    ready: Vec<usize>,
    running: usize,
    failed: Option<E>,
}

/// Works on nodes, each when all that it needs is done; `needs` has for each node the others that it needs, which
/// come before it. The first error keeps those from beginning that have not begun.
pub(crate) fn run<E: Send>(
    needs: &[Vec<usize>],
    threads: usize,
    work: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let mut wanted_by = vec![Vec::new(); needs.len()];
    for (node, needed) in needs.iter().enumerate() {
        for other in needed {
            wanted_by[*other].push(node);
        }
    }
    let open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let ready: Vec<usize> = (0..needs.len()).rev().filter(|node| open[*node] == 0).collect();
    let state = Mutex::new(State { open, ready, running: 0, failed: None });
    let changed = Condvar::new();
    let worker = || {
        loop {
            let mut guard = state.lock().unwrap_or_else(PoisonError::into_inner);
            let node = loop {
                if guard.failed.is_some() {
                    return;
                }
                if let Some(node) = guard.ready.pop() {
                    break node;
                }
                if guard.running == 0 {
                    return;
                }
                guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
            };
            guard.running += 1;
            drop(guard);
            let result = work(node);
            let mut guard = state.lock().unwrap_or_else(PoisonError::into_inner);
            guard.running -= 1;
            match result {
                Ok(()) => {
                    for other in &wanted_by[node] {
                        guard.open[*other] -= 1;
                        if guard.open[*other] == 0 {
                            guard.ready.push(*other);
                        }
                    }
                }
                Err(error) => drop(guard.failed.get_or_insert(error)),
            }
            drop(guard);
            changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, needs.len().max(1)) {
            scope.spawn(worker);
        }
        worker();
    });
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_come_first() {
        let needs: Vec<Vec<usize>> =
            (0..200).map(|n: usize| (0..n).filter(|m| n.is_multiple_of(m + 2)).collect()).collect();
        let done = Mutex::new(Vec::new());
        run(&needs, 4, |node| {
            let mut done = done.lock().unwrap();
            assert!(needs[node].iter().all(|other| done.contains(other)));
            done.push(node);
            Ok::<(), ()>(())
        })
        .unwrap();
        assert_eq!(done.lock().unwrap().len(), 200);
    }

    #[test]
    fn first_error_ends_the_rest() {
        let needs = vec![vec![], vec![0], vec![1]];
        let count = AtomicUsize::new(0);
        let result = run(&needs, 2, |node| {
            count.fetch_add(1, Ordering::SeqCst);
            if node == 1 { Err("no") } else { Ok(()) }
        });
        assert_eq!((result, count.load(Ordering::SeqCst)), (Err("no"), 2));
    }

    #[test]
    fn results_keep_their_order() {
        let items: Vec<usize> = (0..100).collect();
        assert_eq!(map(&items, 7, |n| n * 2), items.iter().map(|n| n * 2).collect::<Vec<_>>());
    }
}
