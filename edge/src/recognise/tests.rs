//! The inference thread with a scripted recogniser.

use clearance::picture::Luma;

use super::*;

const PATIENCE: Duration = Duration::from_mins(1);

/// Answers by the frame's first pixel: 0 reads, 1 fails, 2 panics.
struct Scripted;

impl Recognise for Scripted {
    type Error = String;

    fn recognise(&mut self, picture: LumaView<'_>) -> Result<Recognition, String> {
        match picture.row(0)[0] {
            0 => Ok(Recognition { plates: Vec::new(), detect: Duration::ZERO, read: Duration::ZERO }),
            1 => Err("network broke".to_owned()),
            _ => panic!("scripted"),
        }
    }
}

fn frame(number: u64, pixel: u8) -> Frame {
    Frame::new(0, number, Instant::now(), Luma::new(vec![pixel; 4], 2, 2).unwrap(), Vec::new()).unwrap()
}

fn mailboxes(n: usize) -> Vec<(LaneIndex, Arc<Mailbox<Frame>>)> {
    (0..n).map(|i| (LaneIndex(i), Mailbox::new())).collect()
}

async fn until(health: &mut watch::Receiver<RecogniserHealth>, wanted: impl Fn(&RecogniserHealth) -> bool) {
    tokio::time::timeout(PATIENCE, health.wait_for(wanted)).await.expect("in time").expect("alive");
}

async fn next(reads: &mut mpsc::Receiver<FrameReads>) -> FrameReads {
    tokio::time::timeout(PATIENCE, reads.recv()).await.expect("in time").expect("open")
}

#[tokio::test]
async fn every_camera_gets_its_turn() {
    let boxes = mailboxes(3);
    for (lane, mailbox) in &boxes {
        mailbox.put(frame(lane.0 as u64, 0));
    }
    let (_thread, mut reads) = RecogniserThread::start_with(|| Ok::<_, String>(Scripted), boxes.clone());
    let mut lanes = Vec::new();
    for _ in 0..3 {
        lanes.push(next(&mut reads).await.lane.0);
    }
    assert_eq!(lanes, [0, 1, 2]);
    boxes[0].1.put(frame(9, 0));
    assert_eq!(next(&mut reads).await.frame.number, 9);
}

#[tokio::test]
async fn errors_and_panics_are_down_and_it_comes_back() {
    let boxes = mailboxes(1);
    let (thread, mut reads) = RecogniserThread::start_with(|| Ok::<_, String>(Scripted), boxes.clone());
    let mut health = thread.health();
    for (pixel, word) in [(1, "broke"), (2, "panicked")] {
        until(&mut health, |h| *h == RecogniserHealth::Up).await;
        boxes[0].1.put(frame(0, pixel));
        until(&mut health, |h| matches!(h, RecogniserHealth::Down { why } if why.contains(word))).await;
        assert_eq!(health.borrow().fault(), Some(LaneFault::RecogniserDown));
    }
    until(&mut health, |h| *h == RecogniserHealth::Up).await;
    boxes[0].1.put(frame(5, 0));
    assert_eq!(next(&mut reads).await.frame.number, 5);
}

#[tokio::test]
async fn networks_that_do_not_load_are_told() {
    let load = || Err::<Scripted, _>("golden values differ");
    let (thread, _reads) = RecogniserThread::start_with(load, mailboxes(1));
    until(&mut thread.health(), |h| matches!(h, RecogniserHealth::Down { why } if why.contains("golden")))
        .await;
}

#[test]
fn a_lane_that_does_not_listen_gets_the_newest_and_holds_up_nobody() {
    let (sender, mut reads) = mpsc::channel(1);
    let mut turns = Turns::new(mailboxes(2), sender);
    let give = |turns: &mut Turns, mailbox, number| {
        let (plates, detect, read) = (Vec::new(), Duration::ZERO, Duration::ZERO);
        let frame = Arc::new(frame(number, 0));
        turns.give(mailbox, FrameReads { lane: LaneIndex(mailbox), frame, plates, detect, read })
    };
    let dropped: u64 = (0..5).map(|n| give(&mut turns, 0, n)).sum();
    assert_eq!((dropped, give(&mut turns, 1, 100)), (3, 0));
    let mut numbers = Vec::new();
    while let Ok(reads) = reads.try_recv() {
        numbers.push(reads.frame.number);
        turns.flush();
    }
    assert_eq!(numbers, [0, 4, 100]);
    drop(reads);
    assert!(turns.is_deserted());
}
