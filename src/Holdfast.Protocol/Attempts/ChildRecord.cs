using Holdfast.Protocol.Json;
using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Attempts;

/// <summary>child.json: the identity of the process that was launched, for those who must find it when its supervisor is gone.</summary>
public sealed record ChildRecord(ProcessIdentity Process, long AtUnixNanoseconds)
{
    public byte[] Write() =>
        AttemptJson.Write(writer =>
        {
            writer.WriteNumber("pid", Process.Pid);
            writer.WriteNumber("startTicks", Process.StartTicks);
            writer.WriteString("bootId", Process.BootId);
            writer.WriteNumber("at", AtUnixNanoseconds);
        });

    /// <summary>Throws <see cref="AttemptFormatException"/> when it is not whole.</summary>
    public static ChildRecord Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return ReadFields(json);
        }
        catch (Exception e) when (AttemptJson.IsMalformed(e))
        {
            throw new AttemptFormatException($"child.json is not valid: {e.Message}");
        }
    }

    private static ChildRecord ReadFields(ReadOnlySpan<byte> json)
    {
        var reader = new PlainJsonReader(json);
        int pid = 0;
        long startTicks = 0,
            at = 0;
        string? bootId = null;
        AttemptJson.Begin(ref reader);
        while (AttemptJson.NextName(ref reader))
        {
            string name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "pid":
                    pid = reader.GetInt32();
                    break;
                case "startTicks":
                    startTicks = reader.GetInt64();
                    break;
                case "bootId":
                    bootId = reader.GetString();
                    break;
                case "at":
                    at = reader.GetInt64();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (pid == 0 || bootId is null)
        {
            throw new AttemptFormatException("child.json lacks a field.");
        }

        return new ChildRecord(new ProcessIdentity(bootId, pid, startTicks), at);
    }
}
