using Holdfast.Protocol.Json;
using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Attempts;

/// <summary>
/// supervisor.json: who holds the attempt and where to reach it. Proves nothing alone: the lock says alive, the nonce says ours.
/// </summary>
public sealed record SupervisorRecord
{
    public required int Protocol { get; init; }
    public required string Version { get; init; }
    public required ProcessIdentity Process { get; init; }
    public required string Nonce { get; init; }
    public required string Socket { get; init; }

    /// <summary><see cref="AttemptSpec.KindJob"/> or <see cref="AttemptSpec.KindKernel"/>.</summary>
    public required string Mode { get; init; }

    public byte[] Write() =>
        AttemptJson.Write(writer =>
        {
            writer.WriteNumber("protocol", Protocol);
            writer.WriteString("version", Version);
            writer.WriteString("bootId", Process.BootId);
            writer.WriteNumber("pid", Process.Pid);
            writer.WriteNumber("startTicks", Process.StartTicks);
            writer.WriteString("nonce", Nonce);
            writer.WriteString("socket", Socket);
            writer.WriteString("mode", Mode);
        });

    /// <summary>Throws <see cref="AttemptFormatException"/> when it is not whole.</summary>
    public static SupervisorRecord Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return ReadFields(json);
        }
        catch (Exception e) when (AttemptJson.IsMalformed(e))
        {
            throw new AttemptFormatException($"supervisor.json is not valid: {e.Message}");
        }
    }

    private static SupervisorRecord ReadFields(ReadOnlySpan<byte> json)
    {
        var reader = new PlainJsonReader(json);
        int protocol = 0,
            pid = 0;
        long startTicks = 0;
        string? version = null,
            bootId = null,
            nonce = null,
            socket = null,
            mode = null;
        AttemptJson.Begin(ref reader);
        while (AttemptJson.NextName(ref reader))
        {
            string name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "protocol":
                    protocol = reader.GetInt32();
                    break;
                case "version":
                    version = reader.GetString();
                    break;
                case "bootId":
                    bootId = reader.GetString();
                    break;
                case "pid":
                    pid = reader.GetInt32();
                    break;
                case "startTicks":
                    startTicks = reader.GetInt64();
                    break;
                case "nonce":
                    nonce = reader.GetString();
                    break;
                case "socket":
                    socket = reader.GetString();
                    break;
                case "mode":
                    mode = reader.GetString();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (protocol == 0 || pid == 0 || version is null || bootId is null || nonce is null || socket is null || mode is null)
        {
            throw new AttemptFormatException("supervisor.json lacks a field.");
        }

        return new SupervisorRecord
        {
            Protocol = protocol,
            Version = version,
            Process = new ProcessIdentity(bootId, pid, startTicks),
            Nonce = nonce,
            Socket = socket,
            Mode = mode,
        };
    }
}
