using Holdfast.Protocol.Json;

namespace Holdfast.Protocol.Attempts;

/// <summary>
/// exit.json, and the same fields in the journal's last event: how the attempt ended. Either <see cref="ExitCode"/> or <see cref="Signal"/>
/// is set for a child that ran; for one that did not start, ExitCode is the shell's (127 not found, 126 not executable, 125 anything else).
/// </summary>
public sealed record ExitRecord
{
    public int? ExitCode { get; init; }
    public int? Signal { get; init; }
    public bool CoreDumped { get; init; }

    /// <summary>See <see cref="ExitCause"/>.</summary>
    public required string Cause { get; init; }

    /// <summary>A sentence for people.</summary>
    public required string Reason { get; init; }

    public required long AtUnixNanoseconds { get; init; }

    /// <summary>A descendant still held the output pipes when the record was written; what it wrote later is not in the journal.</summary>
    public bool OutputStillOpen { get; init; }

    public long StdoutBytes { get; init; }
    public long StderrBytes { get; init; }
    public long UserMs { get; init; }
    public long SystemMs { get; init; }
    public long MaxRssKb { get; init; }

    public byte[] Write() => AttemptJson.Write(WriteFields);

    /// <summary>Throws <see cref="AttemptFormatException"/> when it is not whole.</summary>
    public static ExitRecord Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new PlainJsonReader(json);
            var fields = new Fields();
            AttemptJson.Begin(ref reader);
            while (AttemptJson.NextName(ref reader))
            {
                string name = reader.GetString()!;
                reader.Read();
                if (!fields.TryTake(name, ref reader))
                {
                    reader.Skip();
                }
            }

            return fields.ToRecord();
        }
        catch (Exception e) when (AttemptJson.IsMalformed(e))
        {
            throw new AttemptFormatException($"exit.json is not valid: {e.Message}");
        }
    }

    internal void WriteFields(PlainJsonWriter writer)
    {
        if (ExitCode is { } exitCode)
        {
            writer.WriteNumber("exitCode", exitCode);
        }

        if (Signal is { } signal)
        {
            writer.WriteNumber("signal", signal);
        }

        AttemptJson.WriteFlag(writer, "coreDumped", CoreDumped);
        writer.WriteString("cause", Cause);
        writer.WriteString("reason", Reason);
        writer.WriteNumber("at", AtUnixNanoseconds);
        AttemptJson.WriteFlag(writer, "outputStillOpen", OutputStillOpen);
        writer.WriteNumber("stdoutBytes", StdoutBytes);
        writer.WriteNumber("stderrBytes", StderrBytes);
        writer.WriteNumber("userMs", UserMs);
        writer.WriteNumber("systemMs", SystemMs);
        writer.WriteNumber("maxRssKb", MaxRssKb);
    }

    /// <summary>The record while it is read: the journal's exit event carries the same fields among its own.</summary>
    internal struct Fields
    {
        private int _exitCode,
            _signal;
        private bool _hasExitCode,
            _hasSignal,
            _coreDumped,
            _outputStillOpen;
        private string? _cause,
            _reason;
        private long _at,
            _stdoutBytes,
            _stderrBytes,
            _userMs,
            _systemMs,
            _maxRssKb;

        public bool TryTake(string name, ref PlainJsonReader reader)
        {
            switch (name)
            {
                case "exitCode":
                    _exitCode = reader.GetInt32();
                    _hasExitCode = true;
                    return true;
                case "signal":
                    _signal = reader.GetInt32();
                    _hasSignal = true;
                    return true;
                case "coreDumped":
                    _coreDumped = reader.GetBoolean();
                    return true;
                case "cause":
                    _cause = reader.GetString();
                    return true;
                case "reason":
                    _reason = reader.GetString();
                    return true;
                case "at":
                    _at = reader.GetInt64();
                    return true;
                case "outputStillOpen":
                    _outputStillOpen = reader.GetBoolean();
                    return true;
                case "stdoutBytes":
                    _stdoutBytes = reader.GetInt64();
                    return true;
                case "stderrBytes":
                    _stderrBytes = reader.GetInt64();
                    return true;
                case "userMs":
                    _userMs = reader.GetInt64();
                    return true;
                case "systemMs":
                    _systemMs = reader.GetInt64();
                    return true;
                case "maxRssKb":
                    _maxRssKb = reader.GetInt64();
                    return true;
                default:
                    return false;
            }
        }

        public readonly string? Cause => _cause;
        public readonly string? Reason => _reason;
        public readonly long AtUnixNanoseconds => _at;

        public readonly ExitRecord ToRecord()
        {
            if (_cause is null || _reason is null || !(_hasExitCode ^ _hasSignal))
            {
                throw new AttemptFormatException("An exit record lacks its cause or reason, or does not have one of exit code and signal.");
            }

            return new ExitRecord
            {
                ExitCode = _hasExitCode ? _exitCode : null,
                Signal = _hasSignal ? _signal : null,
                CoreDumped = _coreDumped,
                Cause = _cause,
                Reason = _reason,
                AtUnixNanoseconds = _at,
                OutputStillOpen = _outputStillOpen,
                StdoutBytes = _stdoutBytes,
                StderrBytes = _stderrBytes,
                UserMs = _userMs,
                SystemMs = _systemMs,
                MaxRssKb = _maxRssKb,
            };
        }
    }
}
