//! Recordings as Asterisk writes them: WAV, one channel of 16 bits, 8000 samples a second (`formats/format_wav.c`); and of calls, from its raw stereo.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use hound::{SampleFormat, WavReader, WavWriter};

/// Samples a second.
const RATE: u32 = 8000;
/// Samples that are looked at together: 20 ms.
const FRAME: usize = 160;
/// A frame is heard whose samples are as far from zero as this, on the average. Asterisk's own threshold for silence is 256 (`dsp.conf`).
const LOUD: u32 = 200;
/// Bytes before the first sample.
const HEADER: u64 = 44;

/// What is in a recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measure {
    /// Its length.
    pub length: Duration,
    /// How much of it is no silence.
    pub sound: Duration,
}

/// Measures a recording. One whose end was never written down, since Asterisk or the machine died, is mended first.
///
/// # Errors
/// It cannot be read, or is none: another format, or not whole.
pub fn measure(path: &Path) -> io::Result<Measure> {
    mend(path)?;
    let mut reader = WavReader::open(path).map_err(unreadable)?;
    check(&reader.spec())?;
    let (mut samples, mut heard, mut frame, mut level) = (0_u64, 0_u32, 0, 0_u32);
    for sample in reader.samples::<i16>() {
        level += u32::from(sample.map_err(unreadable)?.unsigned_abs());
        frame += 1;
        samples += 1;
        if frame == FRAME {
            heard += u32::from(level / 160 >= LOUD);
            (frame, level) = (0, 0);
        }
    }
    Ok(Measure { length: length_of(samples), sound: Duration::from_millis(20) * heard })
}

/// A recording made louder, or softer, by so many decibels; what gets too loud is cut off.
///
/// # Errors
/// It cannot be read.
pub fn amplified(recording: Vec<u8>, decibels: i32) -> io::Result<Vec<u8>> {
    if decibels == 0 {
        return Ok(recording);
    }
    let factor = 10_f64.powf(f64::from(decibels) / 20.0);
    let mut reader = WavReader::new(recording.as_slice()).map_err(unreadable)?;
    let mut louder = io::Cursor::new(Vec::with_capacity(recording.len()));
    let mut writer = WavWriter::new(&mut louder, reader.spec()).map_err(unreadable)?;
    for sample in reader.samples::<i16>() {
        let sample = f64::from(sample.map_err(unreadable)?) * factor;
        #[allow(clippy::cast_possible_truncation, reason = "within the bounds of i16")]
        let sample = sample.clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16;
        writer.write_sample(sample).map_err(unreadable)?;
    }
    writer.finalize().map_err(unreadable)?;
    Ok(louder.into_inner())
}

/// Raw stereo of 16 bits as WAV: as it is, or with both sides in one channel.
///
/// # Errors
/// It is too long for WAV.
pub fn from_stereo(raw: &[u8], mixed: bool) -> io::Result<Vec<u8>> {
    let channels = if mixed { 1 } else { 2 };
    let spec = hound::WavSpec { channels, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut wav = io::Cursor::new(Vec::with_capacity(raw.len() + 64));
    let mut writer = WavWriter::new(&mut wav, spec).map_err(unreadable)?;
    for pair in raw.chunks_exact(4) {
        let &[a, b, c, d] = pair else { continue };
        let (left, right) = (i16::from_le_bytes([a, b]), i16::from_le_bytes([c, d]));
        if mixed {
            writer.write_sample(left.saturating_add(right)).map_err(unreadable)?;
        } else {
            writer.write_sample(left).map_err(unreadable)?;
            writer.write_sample(right).map_err(unreadable)?;
        }
    }
    writer.finalize().map_err(unreadable)?;
    Ok(wav.into_inner())
}

/// Length of a file of any format that we keep, by its header.
///
/// # Errors
/// It is none.
pub fn length(bytes: &[u8]) -> io::Result<Duration> {
    match format_tag(bytes) {
        Some((1, 1, RATE)) => {
            let reader = WavReader::new(bytes).map_err(unreadable)?;
            check(&reader.spec())?;
            Ok(length_of(reader.duration().into()))
        }
        // Recordings of calls: 16 bits, or mu-law.
        Some((tag @ (1 | 7), 2, RATE)) => {
            let data = data_length(bytes).ok_or_else(|| refused("has no audio"))?;
            Ok(length_of(u64::from(data) / if tag == 1 { 4 } else { 2 }))
        }
        // 320 samples in blocks of 65 bytes.
        Some((49, 1, RATE)) => {
            let data = data_length(bytes).ok_or_else(|| refused("has no audio"))?;
            Ok(length_of(u64::from(data) / 65 * 320))
        }
        _ => Err(refused("is neither WAV of 16 bits nor GSM in WAV, of 8000 samples a second and one channel")),
    }
}

/// True for GSM in WAV.
#[must_use]
pub fn is_gsm(bytes: &[u8]) -> bool {
    matches!(format_tag(bytes), Some((49, ..)))
}

/// True for a recording as Asterisk writes it.
#[must_use]
pub fn is_recording(bytes: &[u8]) -> bool {
    matches!(format_tag(bytes), Some((1, 1, RATE)))
}

/// Format, channels and rate of a WAV header.
fn format_tag(bytes: &[u8]) -> Option<(u16, u16, u32)> {
    if bytes.get(..4)? != b"RIFF" || bytes.get(8..16)? != b"WAVEfmt " {
        return None;
    }
    let word = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let long = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    Some((word(20)?, word(22)?, long(24)?))
}

/// Bytes of audio in a WAV file; those that are there, if its header says more.
fn data_length(bytes: &[u8]) -> Option<u32> {
    let mut at = 12;
    loop {
        let name = bytes.get(at..at + 4)?;
        let length = u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?);
        if name == b"data" {
            return Some(length.min(u32::try_from(bytes.len().saturating_sub(at + 8)).ok()?));
        }
        at = at.checked_add(8 + usize::try_from(length).ok()? + usize::try_from(length % 2).ok()?)?;
    }
}

/// Writes the lengths into the header that Asterisk leaves for the end of a recording.
fn mend(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let mut header = [0; HEADER as usize];
    if length < HEADER || file.read_exact(&mut header).is_err() || header.get(36..40) != Some(b"data") {
        return Ok(());
    }
    // A last sample may be cut in two.
    let data = (length - HEADER) & !1;
    let data = u32::try_from(data).map_err(|_| refused("is longer than 4 GiB"))?;
    if header.get(40..44) == Some(&data.to_le_bytes()[..]) {
        return Ok(());
    }
    file.seek(SeekFrom::Start(40))?;
    file.write_all(&data.to_le_bytes())?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&(data + 36).to_le_bytes())?;
    file.set_len(HEADER + u64::from(data))
}

fn check(spec: &hound::WavSpec) -> io::Result<()> {
    let fits = spec.channels == 1
        && spec.sample_rate == RATE
        && spec.bits_per_sample == 16
        && spec.sample_format == SampleFormat::Int;
    if fits { Ok(()) } else { Err(refused("is not WAV of 16 bits, 8000 samples a second and one channel")) }
}

fn length_of(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(1_000_000 / u64::from(RATE)))
}

fn unreadable(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, format!("the recording is no WAV: {other}")),
    }
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the audio {why}"))
}

/// Joins recordings of 16 bits, one after the other.
///
/// # Errors
/// One cannot be read, or the whole cannot be written.
pub fn join(parts: &[&Path], whole: &Path) -> io::Result<()> {
    let spec = hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let file = File::create(whole)?;
    let mut writer = WavWriter::new(io::BufWriter::new(file), spec).map_err(unreadable)?;
    for part in parts {
        let mut reader = WavReader::open(part).map_err(unreadable)?;
        check(&reader.spec())?;
        for sample in reader.samples::<i16>() {
            writer.write_sample(sample.map_err(unreadable)?).map_err(unreadable)?;
        }
    }
    writer.finalize().map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn recording(samples: &[i16]) -> tempfile::TempPath {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let spec =
            hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
        writer.finalize().unwrap();
        path
    }

    fn tone(seconds: usize, loud: i16) -> Vec<i16> {
        (0..seconds * 8000).map(|at| if at % 16 < 8 { loud } else { -loud }).collect()
    }

    #[test]
    fn sound_is_told_from_silence() {
        let mut samples = tone(2, 3000);
        samples.extend([10; 8000]);
        let path = recording(&samples);
        let measure = super::measure(&path).unwrap();
        assert_eq!((measure.length, measure.sound), (Duration::from_secs(3), Duration::from_secs(2)));
        for (decibels, sound) in [(-30, 0), (0, 2), (30, 3)] {
            let louder = recording(&[]);
            fs::write(&louder, amplified(fs::read(&path).unwrap(), decibels).unwrap()).unwrap();
            assert_eq!(super::measure(&louder).unwrap().sound, Duration::from_secs(sound), "{decibels}");
        }
    }

    #[test]
    fn a_recording_that_was_broken_off_is_mended() {
        let path = recording(&tone(2, 3000));
        let mut bytes = fs::read(&path).unwrap();
        bytes[40..44].fill(0);
        bytes.truncate(44 + 16_001);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(super::measure(&path).unwrap().length, Duration::from_secs(1));
        assert_eq!(super::length(&fs::read(&path).unwrap()).unwrap(), Duration::from_secs(1));
    }

    #[test]
    fn both_sides_of_a_call_stay_apart_or_are_mixed() {
        let raw: Vec<u8> = [(1000_i16, -30_000_i16), (3000, -30_000)]
            .iter()
            .flat_map(|(left, right)| [left.to_le_bytes(), right.to_le_bytes()].concat())
            .chain([7])
            .collect();
        let samples =
            |wav: &[u8]| WavReader::new(wav).unwrap().samples::<i16>().map(Result::unwrap).collect::<Vec<_>>();
        let stereo = from_stereo(&raw, false).unwrap();
        assert_eq!(samples(&stereo), [1000, -30_000, 3000, -30_000]);
        assert_eq!(super::length(&stereo).unwrap(), Duration::from_micros(250));
        assert_eq!(samples(&from_stereo(&raw, true).unwrap()), [-29_000, -27_000]);
        // Two that are loud at once are not louder than can be.
        let loud = [i16::MIN.to_le_bytes(), (-5_i16).to_le_bytes()].concat();
        assert_eq!(samples(&from_stereo(&loud, true).unwrap()), [i16::MIN]);
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        for bytes in
            [&b""[..], b"RIFF", b"MZ\0\0 not audio at all, however long it goes on and on and on and on and on"]
        {
            let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
            fs::write(&path, bytes).unwrap();
            assert!(super::measure(&path).is_err(), "{bytes:?}");
            assert!(super::length(bytes).is_err(), "{bytes:?}");
        }
    }
}
