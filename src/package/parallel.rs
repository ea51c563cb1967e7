//! The same work for each of many people, on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

/// Items of a stream worked on at a time.
const BATCH: usize = 100;

/// Runs `work` for each item; the results come in the items' order. As many items are in work as there are cores, so
/// memory does not grow with their number. A panic in one of them is a panic here.
pub fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((at, item)) = take(&next, items) {
                    let result = work(item);
                    results.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    results.sort_unstable_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The same as a stream: `take` gets the results in the items' order while later ones are worked on. Two batches a core are
/// held, whatever the number of items. A panic ends the stream early.
pub fn streamed<T: Sync, R: Send, V>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    take: impl FnOnce(&mut dyn Iterator<Item = R>) -> V,
) -> V {
    let batches = items.len().div_ceil(BATCH);
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(batches);
    let work = &work;
    std::thread::scope(|scope| {
        // Each core has its own batches, in turn.
        let (mut workers, mut results) = (Vec::new(), Vec::new());
        for core in 0..cores {
            let (done, result) = sync_channel(1);
            results.push(result);
            workers.push(scope.spawn(move || {
                // Where nobody takes them, no more are needed.
                let mut mine = items.chunks(BATCH).skip(core).step_by(cores);
                mine.all(|batch| done.send(batch.iter().map(work).collect::<Vec<R>>()).is_ok())
            }));
        }
        let value = take(&mut (0..batches).map_while(|batch| results[batch % cores].recv().ok()).flatten());
        drop(results);
        for worker in workers {
            // What broke it has said so itself; that it did is known from what is missing.
            let _ = worker.join();
        }
        value
    })
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    items.get(at).map(|item| (at, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_keeps_the_order_and_ends_with_whoever_takes_it_or_with_a_panic() {
        let items: Vec<usize> = (0..2345).collect();
        let doubled = streamed(&items, |item| item * 2, |all| all.collect::<Vec<_>>());
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert_eq!(streamed(&items, |item| *item, |all| all.take(7).count()), 7);
        assert_eq!(streamed(&[], |item: &usize| *item, |all| all.count()), 0);
        let broken = |item: &usize| if *item == 1_234 { panic!("this one breaks it") } else { *item };
        assert_eq!(streamed(&items, broken, |all| all.count()), 1_200, "up to the batch that broke");
    }

    #[test]
    fn every_item_is_worked_on_once_and_the_order_is_kept() {
        let items: Vec<usize> = (0..1000).collect();
        let count = AtomicUsize::new(0);
        let doubled = on_all_cores(&items, |item| {
            count.fetch_add(1, Ordering::Relaxed);
            item * 2
        });
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert_eq!(count.into_inner(), 1000);
        assert_eq!(on_all_cores(&[], |item: &usize| *item), Vec::<usize>::new());
    }
}
