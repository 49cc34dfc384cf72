//! The audio of a phone: what it hears, what it says, and the keys it presses, over RTP as a telephone sends it.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One packet: 160 samples at 8000 a second.
const PACKET: Duration = Duration::from_millis(20);
const SAMPLES: usize = 160;
/// Payload types as in the phone's SDP: G.711 u-law, and telephone events (RFC 4733).
const ULAW: u8 = 0;
const EVENT: u8 = 101;
/// u-law for no sound.
const SILENCE: u8 = 0xFF;

/// What a phone sends besides silence.
#[derive(Debug)]
enum Act {
    Key(char),
    Tone(u32, Duration),
    Pause(Duration),
    Lose(u16),
}

/// A phone's microphone, ear and keypad. Sends a packet each 20 ms from when it knows where to.
#[derive(Debug)]
pub struct Voice {
    port: u16,
    acts: mpsc::Sender<Act>,
    peer: mpsc::Sender<SocketAddr>,
    heard: Arc<Mutex<Vec<u8>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Voice {
    pub(crate) fn new(ip: Ipv4Addr) -> Voice {
        let socket = UdpSocket::bind((ip, 0)).expect("a free port for audio");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a UDP socket waits");
        let port = socket.local_addr().expect("a bound socket").port();
        let (acts, todo) = mpsc::channel();
        let (peer, whither) = mpsc::channel();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let ear = socket.try_clone().expect("a descriptor can be copied");
        let (into, ends) = (Arc::clone(&heard), Arc::clone(&stop));
        let hears = thread::spawn(move || hear(&ear, &into, &ends));
        let ends = Arc::clone(&stop);
        let speaks = thread::spawn(move || {
            if let Ok(peer) = whither.recv() {
                speak(&socket, peer, &whither, &todo, &ends);
            }
        });
        Voice { port, acts, peer, heard, stop, threads: vec![hears, speaks] }
    }

    /// Its RTP port, for the phone's SDP.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn connect(&self, peer: SocketAddr) {
        let _ = self.peer.send(peer);
    }

    /// Presses keys, `0042#`, one after the other once what was ordered before is done; 0.1 s each, as long between them.
    pub fn press(&self, keys: &str) {
        for key in keys.chars() {
            self.act(Act::Key(key));
            self.act(Act::Pause(Duration::from_millis(100)));
        }
    }

    /// Says a tone.
    pub fn tone(&self, hertz: u32, time: Duration) {
        self.act(Act::Tone(hertz, time));
    }

    /// Says nothing.
    pub fn pause(&self, time: Duration) {
        self.act(Act::Pause(time));
    }

    /// The next packets are lost on the way: they are not sent, and those after them are numbered as if they were.
    pub fn lose(&self, packets: u16) {
        self.act(Act::Lose(packets));
    }

    /// How long a tone was heard in all. Speech is never as pure.
    #[must_use]
    pub fn heard_tone(&self, hertz: u32) -> Duration {
        tone_in(&self.heard.lock().expect("no ear panics"), hertz)
    }

    /// The loudest sample that was heard.
    #[must_use]
    pub fn heard_peak(&self) -> f64 {
        let heard = self.heard.lock().expect("no ear panics");
        heard.iter().map(|code| linear(*code).abs()).fold(0.0, f64::max)
    }

    /// How loud a tone was heard on the average, as the root of its mean square; 0 when it was not.
    #[must_use]
    pub fn heard_level(&self, hertz: u32) -> f64 {
        let heard = self.heard.lock().expect("no ear panics");
        let pure: Vec<&[u8]> = heard.chunks_exact(SAMPLES).filter(|packet| purity(packet, hertz) > 0.8).collect();
        let power: f64 = pure.iter().flat_map(|packet| packet.iter()).map(|code| linear(*code).powi(2)).sum();
        if pure.is_empty() { 0.0 } else { (power / (pure.len() * SAMPLES) as f64).sqrt() }
    }

    /// How long anything was heard in all.
    #[must_use]
    pub fn heard_sound(&self) -> Duration {
        let heard = self.heard.lock().expect("no ear panics");
        let loud = |packet: &&[u8]| packet.iter().any(|sample| linear(*sample).abs() > 500.0);
        PACKET * u32::try_from(heard.chunks_exact(SAMPLES).filter(loud).count()).unwrap_or(u32::MAX)
    }

    fn act(&self, act: Act) {
        // A voice whose call was never answered says nothing.
        let _ = self.acts.send(act);
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.peer = mpsc::channel().0;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// How long a tone is in audio in G.711 u-law.
#[must_use]
pub fn tone_in(audio: &[u8], hertz: u32) -> Duration {
    let pure = audio.chunks_exact(SAMPLES).filter(|packet| purity(packet, hertz) > 0.8).count();
    PACKET * u32::try_from(pure).unwrap_or(u32::MAX)
}

fn hear(socket: &UdpSocket, heard: &Mutex<Vec<u8>>, stop: &AtomicBool) {
    let mut packet = [0; 2048];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, _)) = socket.recv_from(&mut packet) else { continue };
        if length > 12 && packet[1] & 0x7F == ULAW {
            heard.lock().expect("no ear panics").extend_from_slice(&packet[12..length]);
        }
    }
}

fn speak(
    socket: &UdpSocket,
    peer: SocketAddr,
    whither: &mpsc::Receiver<SocketAddr>,
    todo: &mpsc::Receiver<Act>,
    stop: &AtomicBool,
) {
    let mut line = Line { socket, peer, sequence: 0, time: 0, next: Instant::now() };
    while !stop.load(Ordering::Relaxed) {
        // The phone's next call.
        if let Ok(peer) = whither.try_recv() {
            line.peer = peer;
        }
        match todo.try_recv() {
            Ok(Act::Key(key)) => line.key(key),
            Ok(Act::Tone(hertz, time)) => line.packets(time, |at| ulaw(sine(hertz, at))),
            Ok(Act::Pause(time)) => line.packets(time, |_| SILENCE),
            Ok(Act::Lose(packets)) => line.sequence = line.sequence.wrapping_add(packets),
            Err(_) => line.packets(PACKET, |_| SILENCE),
        }
    }
}

/// An RTP stream (RFC 3550) that goes out.
struct Line<'a> {
    socket: &'a UdpSocket,
    peer: SocketAddr,
    sequence: u16,
    time: u32,
    next: Instant,
}

impl Line<'_> {
    fn packets(&mut self, time: Duration, sample: impl Fn(u32) -> u8) {
        for _ in 0..time.as_millis().div_ceil(PACKET.as_millis()) {
            let payload: Vec<u8> = (0..SAMPLES as u32).map(|at| sample(self.time.wrapping_add(at))).collect();
            self.send(ULAW, self.time, &payload);
            self.tick();
        }
    }

    /// Five packets of a growing event, and its end three times (RFC 4733, 2.5.1.4).
    fn key(&mut self, key: char) {
        let event = "0123456789*#ABCD".find(key).unwrap_or_else(|| panic!("{key:?} is no key")) as u8;
        let began = self.time;
        for packet in 1..=5_u16 {
            let [high, low] = (packet * SAMPLES as u16).to_be_bytes();
            let marker = if packet == 1 { 0x80 } else { 0 };
            self.send(EVENT | marker, began, &[event, 10, high, low]);
            self.tick();
        }
        let [high, low] = (6 * SAMPLES as u16).to_be_bytes();
        for _ in 0..3 {
            self.send(EVENT, began, &[event, 0x80 | 10, high, low]);
        }
        self.tick();
    }

    fn send(&mut self, kind: u8, time: u32, payload: &[u8]) {
        let mut packet = vec![0x80, kind];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(time.to_be_bytes());
        packet.extend(0x7A4D_u32.to_be_bytes());
        packet.extend(payload);
        // The other end may be gone already.
        let _ = self.socket.send_to(&packet, self.peer);
        self.sequence = self.sequence.wrapping_add(1);
    }

    fn tick(&mut self) {
        self.time = self.time.wrapping_add(SAMPLES as u32);
        self.next += PACKET;
        thread::sleep(self.next.saturating_duration_since(Instant::now()));
    }
}

fn sine(hertz: u32, at: u32) -> f64 {
    8000.0 * (std::f64::consts::TAU * f64::from(hertz) * f64::from(at) / 8000.0).sin()
}

/// G.711, from a sample of 16 bits.
fn ulaw(sample: f64) -> u8 {
    let magnitude = (sample.abs().min(32_635.0) as u16) + 132;
    let exponent = 8 - (magnitude.leading_zeros() as u8).min(8);
    let mantissa = ((magnitude >> (exponent + 3)) & 0x0F) as u8;
    let sign = if sample < 0.0 { 0x80 } else { 0 };
    !(sign | (exponent << 4) | mantissa)
}

fn linear(code: u8) -> f64 {
    let code = !code;
    let magnitude = ((u32::from(code & 0x0F) << 3) + 132) << ((code >> 4) & 7);
    let magnitude = f64::from(magnitude) - 132.0;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

/// The share of a packet's power that is at one frequency (Goertzel); 0 for silence.
fn purity(packet: &[u8], hertz: u32) -> f64 {
    let (mut sine, mut cosine, mut power) = (0.0, 0.0, 0.0);
    for (at, code) in packet.iter().enumerate() {
        let sample = linear(*code);
        let angle = std::f64::consts::TAU * f64::from(hertz) * at as f64 / 8000.0;
        sine += sample * angle.sin();
        cosine += sample * angle.cos();
        power += sample * sample;
    }
    let total = power * packet.len() as f64 / 2.0;
    if power < 1e6 { 0.0 } else { (sine * sine + cosine * cosine) / total }
}

#[cfg(test)]
mod tests {
    use super::{linear, purity, sine, ulaw};

    #[test]
    fn a_tone_is_known_from_another_after_coding() {
        let packet: Vec<u8> = (0..160).map(|at| ulaw(sine(700, at))).collect();
        assert!(purity(&packet, 700) > 0.95, "{}", purity(&packet, 700));
        assert!(purity(&packet, 1000) < 0.05);
        for sample in [-32_000.0, -100.0, 0.0, 5.0, 1000.0, 30_000.0] {
            assert!((linear(ulaw(sample)) - sample).abs() <= 4.0 + sample.abs() / 16.0, "{sample}");
        }
    }
}
