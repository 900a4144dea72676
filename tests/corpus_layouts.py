"""Corpora in miniature: files by their names, text or None for audio, and the rows that a person would write."""

import gzip
import json

LAYOUTS = {}


def layout(name):
    """Add what a function makes, files with their text or None for audio, and the rows expected, to the layouts."""

    def add(make):
        LAYOUTS[name] = make()
        return make

    return add


def lay(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            (root / name).write_bytes(text)
        else:
            (root / name).write_text(text or "", encoding="utf-8")
    return root


def table(header, lines):
    """Rows as mappings, from columns and lines of words; `.` says nothing."""
    columns = header.split()
    words = [line.split() for line in lines.strip().splitlines()]
    return [{c: w for c, w in zip(columns, line, strict=True) if w != "."} for line in words]


@layout("asvspoof2019-la")
def asvspoof2019_la():
    protocols = "LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm"
    files = {
        f"{protocols}.train.trn.txt": "LA_0079 LA_T_1 - - bonafide\nLA_0080 LA_T_2 - A01 spoof\n",
        f"{protocols}.dev.trl.txt": "LA_0069 LA_D_1 - A06 spoof\n",
        f"{protocols}.eval.trl.txt": "LA_0039 LA_E_1 - A19 spoof\n",
        "LA/ASVspoof2019_LA_train/flac/LA_T_1.flac": None,
        "LA/ASVspoof2019_LA_train/flac/LA_T_2.flac": None,
        "LA/ASVspoof2019_LA_dev/flac/LA_D_1.flac": None,
        "LA/ASVspoof2019_LA_eval/flac/LA_E_1.flac": None,
    }
    return files, table(
        "path source task split speaker corpus language",
        """
        LA/ASVspoof2019_LA_train/flac/LA_T_1.flac genuine system train LA_0079 asvspoof2019-la en
        LA/ASVspoof2019_LA_train/flac/LA_T_2.flac A01     system train LA_0080 asvspoof2019-la en
        LA/ASVspoof2019_LA_dev/flac/LA_D_1.flac   A06     system dev   LA_0069 asvspoof2019-la en
        LA/ASVspoof2019_LA_eval/flac/LA_E_1.flac  A19     system test  LA_0039 asvspoof2019-la en
        """,
    )


@layout("asvspoof2021")
def asvspoof2021():
    files = {
        "keys/LA/CM/trial_metadata.txt": (
            "LA_0009 LA_E_1 alaw ita_tx A07 spoof notrim eval\n"
            "LA_0020 LA_E_2 g722 loc_tx bonafide bonafide notrim eval\n"
            "LA_0020 LA_E_3 none none A08 spoof trim hidden\n"
        ),
        "keys/LA/ASV/trial_metadata.txt": "LA_0007-alaw LA_E_9-alaw alaw ita_tx bonafide nontarget notrim eval\n",
        "keys/PA/CM/trial_metadata.txt": "PA_0010 PA_E_1 R3 M3 d4 r1 m1 s4 c4 bonafide notrim eval\n",
        "keys/DF/CM/trial_metadata.txt": (
            "LA_0023 DF_E_1 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -\n"
            "TEF2 DF_E_2 low_m4a vcc2020 Task1-team20 spoof notrim eval "
            "neural_vocoder_nonautoregressive Task1 team20 FF E\n"
        ),
        "ASVspoof2021_LA_eval/flac/LA_E_1.flac": None,
        "ASVspoof2021_LA_eval/flac/LA_E_2.flac": None,
        "ASVspoof2021_LA_eval/flac/LA_E_3.flac": None,
        "ASVspoof2021_DF_eval_part00/ASVspoof2021_DF_eval/flac/DF_E_1.flac": None,
        "ASVspoof2021_DF_eval_part03/ASVspoof2021_DF_eval/flac/DF_E_2.flac": None,
    }
    deepfake = table(
        "path source task split speaker corpus codec origin trim subset vocoder vcc_task vcc_team gender_pair "
        "language_pair",
        """
        ASVspoof2021_DF_eval_part00/ASVspoof2021_DF_eval/flac/DF_E_1.flac A14 system dev LA_0023 asvspoof2021-df \
            nocodec asvspoof notrim progress traditional_vocoder . . . .
        ASVspoof2021_DF_eval_part03/ASVspoof2021_DF_eval/flac/DF_E_2.flac vcc2020-Task1-team20 system test TEF2 \
            asvspoof2021-df low_m4a vcc2020 notrim eval neural_vocoder_nonautoregressive Task1 team20 FF E
        """,
    )
    logical = table(
        "path source task split speaker corpus codec transmission trim subset",
        """
        ASVspoof2021_LA_eval/flac/LA_E_1.flac A07     system test LA_0009 asvspoof2021-la alaw ita_tx notrim eval
        ASVspoof2021_LA_eval/flac/LA_E_2.flac genuine system test LA_0020 asvspoof2021-la g722 loc_tx notrim eval
        ASVspoof2021_LA_eval/flac/LA_E_3.flac A08     system .    LA_0020 asvspoof2021-la none none   trim   hidden
        """,
    )
    return files, deepfake + logical


@layout("mlaad")
def mlaad():
    header = (
        "path|original_file|language|is_original_language|duration|training_data|model_name|architecture|transcript"
    )
    files = {
        "fake/de/facebook_mms-tts-deu/meta.csv": (
            f"{header}\n./fake/de/facebook_mms-tts-deu/a_01.wav|de_DE/by_book/x/wavs/a.wav|de|True|3.2|?|"
            'facebook/mms-tts-deu|VITS|"Er sagte ""Ja""."\n'
        ),
        "fake/de/facebook_mms-tts-deu/a_01.wav": None,
        "fake/en/bark/meta.csv": f"{header}\nfake/en/bark/b.wav|en_US/b.wav|en|True|4|?|suno/bark|Bark|Hi\n",
        "fake/en/bark/b.wav": None,
    }
    common = {"task": "system", "corpus": "mlaad", "is_original_language": "True", "training_data": "?"}
    return files, [
        common
        | {
            "path": "fake/de/facebook_mms-tts-deu/a_01.wav",
            "source": "facebook/mms-tts-deu",
            "text_id": "de_DE/by_book/x/wavs/a.wav",
            "family": "VITS",
            "language": "de",
            "duration": "3.2",
            "transcript": 'Er sagte "Ja".',
        },
        common
        | {
            "path": "fake/en/bark/b.wav",
            "source": "suno/bark",
            "text_id": "en_US/b.wav",
            "family": "Bark",
            "language": "en",
            "duration": "4",
            "transcript": "Hi",
        },
    ]


@layout("wavefake")
def wavefake():
    prompts = "common_voices_prompts_from_conformer_fastspeech2_pwg_ljspeech"
    files = {
        f"generated_audio/{prompts}/gen_0.wav": None,
        f"generated_audio/{prompts}/generated/gen_0.wav": None,
        "generated_audio/jsut_parallel_wavegan/BASIC5000_0001_gen.wav": None,
        "generated_audio/ljspeech_hifiGAN/LJ001-0001_gen.wav": None,
        "generated_audio/ljspeech_real/LJ001-0001.wav": None,
    }
    return files, table(
        "path source task speaker text_id corpus family language",
        f"""
        generated_audio/{prompts}/gen_0.wav {prompts} system ljspeech gen_0 wavefake conformer_fastspeech2_pwg en
        generated_audio/jsut_parallel_wavegan/BASIC5000_0001_gen.wav jsut_parallel_wavegan system jsut BASIC5000_0001 \
            wavefake parallel_wavegan ja
        generated_audio/ljspeech_hifiGAN/LJ001-0001_gen.wav ljspeech_hifiGAN system ljspeech LJ001-0001 \
            wavefake hifiGAN en
        """,
    )


@layout("sfr")
def sfr():
    files = {
        "clean/01/Baidu Ai Cloud/s1/1.wav": None,
        "clean/03/iFLYTEK/2.wav": None,
        "compressed/02/real/3.wav": None,
        "readme/4.wav": None,
    }
    common = {"task": "system", "corpus": "sfr", "language": "zh"}
    return files, [
        common
        | {
            "path": "clean/01/Baidu Ai Cloud/s1/1.wav",
            "source": "baidu-ai-cloud",
            "split": "train",
            "speaker": "s1",
            "condition": "clean",
        },
        common | {"path": "clean/03/iFLYTEK/2.wav", "source": "iflytek", "split": "test", "condition": "clean"},
        common | {"path": "compressed/02/real/3.wav", "source": "genuine", "split": "dev", "condition": "compressed"},
    ]


@layout("add2023-track3")
def add2023_track3():
    files = {
        "train/label.txt": "ADD2023_T3_T_0.wav 0\nADD2023_T3_T_1.wav 3\n",
        "train/wav/ADD2023_T3_T_0.wav": None,
        "train/wav/ADD2023_T3_T_1.wav": None,
        "test/label.txt": "ADD2023_T3_E_0 7\n",
        "test/wav/ADD2023_T3_E_0.wav": None,
    }
    return files, table(
        "path source task split corpus language class",
        """
        test/wav/ADD2023_T3_E_0.wav  unknown   system test  add2023-track3 zh 7
        train/wav/ADD2023_T3_T_0.wav genuine   system train add2023-track3 zh 0
        train/wav/ADD2023_T3_T_1.wav add2023-3 system train add2023-track3 zh 3
        """,
    )


@layout("ccnu-mobile")
def ccnu_mobile():
    files = {
        "IPHONE6(1)/IPHONE6(1)_514.wav": None,
        "IPHONE6(1)/IPHONE6(1)_515.wav": None,
        "SPH-D710/SPH-D710_1.wav": None,
    }
    return files, table(
        "path source task split text_id corpus model language",
        """
        IPHONE6(1)/IPHONE6(1)_514.wav IPHONE6(1) device train 514 ccnu-mobile IPHONE6  en
        IPHONE6(1)/IPHONE6(1)_515.wav IPHONE6(1) device test  515 ccnu-mobile IPHONE6  en
        SPH-D710/SPH-D710_1.wav       SPH-D710   device train 1   ccnu-mobile SPH-D710 en
        """,
    )


@layout("mobiphone")
def mobiphone():
    files = {"iPhone5/speaker5.wav": None, "iPhone5/speaker24.wav": None, "Vodafone_joy_845/Speaker 7.wav": None}
    return files, [
        {"path": path, "source": phone, "task": "device", "split": split, "speaker": speaker}
        | {"text_id": speaker, "corpus": "mobiphone", "language": "en"}
        for path, phone, split, speaker in (
            ("Vodafone_joy_845/Speaker 7.wav", "Vodafone_joy_845", "test", "speaker7"),
            ("iPhone5/speaker24.wav", "iPhone5", "test", "speaker24"),
            ("iPhone5/speaker5.wav", "iPhone5", "train", "speaker5"),
        )
    ]


@layout("tau-mobile")
def tau_mobile():
    clips = ("airport-barcelona-0-0-a", "airport-barcelona-0-0-s1", "bus-lyon-7-3-b")
    lines = [f"audio/{c}.wav\t{c.split('-')[0]}\t{'-'.join(c.split('-')[1:3])}\t{c.split('-')[-1]}\n" for c in clips]
    files = {
        "dev/meta.csv": "filename\tscene_label\tidentifier\tsource_label\n" + "".join(lines),
        "dev/evaluation_setup/fold1_train.csv": f"filename\tscene_label\naudio/{clips[0]}.wav\tairport\n",
        "dev/evaluation_setup/fold1_evaluate.csv": f"filename\tscene_label\naudio/{clips[2]}.wav\tbus\n",
    } | {f"dev/audio/{clip}.wav": None for clip in clips}
    return files, table(
        "path source task split text_id session corpus scene",
        """
        dev/audio/airport-barcelona-0-0-a.wav  tau-a  device train airport-barcelona-0-0 barcelona-0 tau-mobile airport
        dev/audio/airport-barcelona-0-0-s1.wav tau-s1 device .     airport-barcelona-0-0 barcelona-0 tau-mobile airport
        dev/audio/bus-lyon-7-3-b.wav           tau-b  device test  bus-lyon-7-3          lyon-7      tau-mobile bus
        """,
    )


@layout("librispeech")
def librispeech():
    files = {
        "LibriSpeech/SPEAKERS.TXT": ";",
        "LibriSpeech/train-clean-100/103/1240/103-1240-0000.flac": None,
        "LibriSpeech/train-clean-100/103/1240/103-1240.trans.txt": "103-1240-0000 CHAPTER ONE\n",
        "LibriSpeech/dev-other/116/288045/116-288045-0003.flac": None,
    }
    return files, table(
        "path source task split speaker text_id session corpus language subset",
        """
        LibriSpeech/dev-other/116/288045/116-288045-0003.flac genuine system dev 116 116-288045-0003 288045 \
            librispeech en dev-other
        LibriSpeech/train-clean-100/103/1240/103-1240-0000.flac genuine system train 103 103-1240-0000 1240 \
            librispeech en train-clean-100
        """,
    )


@layout("vctk")
def vctk():
    folder = "wav48_silence_trimmed"
    names = ("p225/p225_001_mic1", "p225/p225_001_mic2", "p225/p225_366_mic1", "s5/s5_024_mic1")
    files = {f"{folder}/{name}.flac": None for name in names} | {"txt/p225/p225_001.txt": "Please call Stella."}
    return files, table(
        "path source task speaker text_id corpus language microphone",
        f"""
        {folder}/p225/p225_001_mic1.flac genuine system p225 001      vctk en mic1
        {folder}/p225/p225_366_mic1.flac genuine system p225 p225_366 vctk en mic1
        {folder}/s5/s5_024_mic1.flac     genuine system s5   024      vctk en mic1
        """,
    )


@layout("kaldi")
def kaldi():
    files = {
        "data/train_clean/wav.scp": "r1 audio/r 1.wav\nr2\taudio/r2.wav\n",
        "data/train_clean/segments": "u1 r1 0.5 2.25\nu2 r1 3 -1.0\nu3 r2 0 1\n",
        "data/train_clean/utt2spk": "u1 ann\nu2 u2\nu3 bob\n",
        "data/train_clean/utt2src": "u1 acme/voice-2\nu2 zeta\n",
        "data/train_clean/split2/1/wav.scp": "r1 audio/r 1.wav\n",
        "data/test/wav.scp": "t1 audio/t.wav\n",
        "data/test/utt2lang": "t1 en\n",
        "audio/r 1.wav": None,
        "audio/r2.wav": None,
        "audio/t.wav": None,
    }
    train = {"split": "train", "corpus": "train_clean"}
    return files, [
        {"path": "audio/t.wav", "split": "test", "corpus": "test", "utterance": "t1", "language": "en"},
        train
        | {"path": "audio/r 1.wav", "source": "acme/voice-2", "speaker": "ann", "session": "r1", "utterance": "u1"}
        | {"start": "0.5", "end": "2.25"},
        train | {"path": "audio/r 1.wav", "source": "zeta", "session": "r1", "start": "3", "utterance": "u2"},
        train
        | {"path": "audio/r2.wav", "speaker": "bob", "session": "r2", "start": "0", "end": "1", "utterance": "u3"},
    ]


def cut(name, source, start=0.0, duration=9.0, **more):
    sources = [{"type": "file", "channels": [0], "source": source}]
    recording = {"id": f"r-{name}", "sources": sources, "sampling_rate": 16000, "duration": 9.0}
    return {"id": name, "start": start, "duration": duration, "channel": 0, "type": "MonoCut"} | {
        "supervisions": [],
        "recording": recording,
        **more,
    }


def packed(*cuts):
    return gzip.compress("\n".join(map(json.dumps, cuts)).encode())


@layout("lhotse")
def lhotse():
    said = {"id": "s", "start": 0, "duration": 2, "speaker": "ann", "language": "English", "custom": {"snr": 12.5}}
    files = {
        "cuts_train.jsonl.gz": packed(
            cut("c1", "a.wav", 0.5, 2.0, supervisions=[said], custom={"source": "acme", "split": "validation"}),
            cut("c2", "b.wav", supervisions=[said, {**said, "speaker": "bob", "custom": None}]),
        ),
        "my_cuts.jsonl": json.dumps(cut("c3", "a.wav", custom={"array": [1]})) + "\n\n",
        "a.wav": None,
        "b.wav": None,
    }
    return files, table(
        "path source split speaker session corpus start end cut language snr",
        """
        a.wav acme train ann r-c1 cuts_train 0.5 2.5 c1 English 12.5
        b.wav .    train .   r-c2 cuts_train .   .   c2 English 12.5
        a.wav .    .     .   r-c3 my_cuts    .   .   c3 .       .
        """,
    )


@layout("speechbrain")
def speechbrain():
    files = {
        "csv/train.csv": "ID,duration,wav,start,stop,spk_id,source\n1,8.32,$data_root/wav/1.wav,0,48000,id1,acme\n",
        "csv/valid.csv": "ID, duration, wav, spk_id\n2, 4, wav/2.wav, id2\n",
        "wav/1.wav": None,
        "wav/2.wav": None,
    }
    return files, table(
        "path source split speaker corpus start end ID duration",
        """
        wav/1.wav acme train id1 csv 0.0 3.0 1 8.32
        wav/2.wav .    dev   id2 csv .   .   2 4
        """,
    )


@layout("folders")
def folders():
    files = {"train/acme/x/1.wav": None, "test/zeta/2.mp3": None, "test/unknown/3.FLAC": None, "LICENSE": "free"}
    return files, [
        {"path": "test/unknown/3.FLAC", "source": "unknown", "split": "test", "corpus": "corpus"},
        {"path": "test/zeta/2.mp3", "source": "zeta", "split": "test", "corpus": "corpus"},
        {"path": "train/acme/x/1.wav", "source": "acme", "split": "train", "corpus": "corpus"},
    ]
