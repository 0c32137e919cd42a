using System.Text.Json;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Store;

/// <summary>
/// <c>server.json</c>: how to reach the server of a data directory, and proof of which process it is. Written when the server listens and
/// removed at a clean stop; after a crash it stays until the next server has the lock, which removes it first of all. So it is believed
/// while that very process lives, or, where that cannot be seen from (another container), while somebody has the lock.
/// </summary>
public sealed record ServerRecord(string Url, ProcessIdentity Process, string Version)
{
    private const int BytesMax = 64 * 1024;

    /// <summary>By which a client on this machine knows the server's certificate, whatever names it has. Null without TLS.</summary>
    public string? CertificateSha256 { get; init; }

    /// <summary>Where the certificate and its key lie, for those who look after them. Null without TLS.</summary>
    public string? CertificateFile { get; init; }

    public string? CertificateKey { get; init; }

    /// <summary>The record of the server that lives now; null when there is none, or none that can be named yet.</summary>
    public static ServerRecord? FindLive(DataDirectoryPaths paths) =>
        Read(paths.ServerRecord) is { } record && (record.Process.IsAlive() || FileLock.IsHeld(paths.ServerLock)) ? record : null;

    public void Write(string path)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("url", Url);
            json.WriteNumber("pid", Process.Pid);
            json.WriteNumber("startTicks", Process.StartTicks);
            json.WriteString("bootId", Process.BootId);
            json.WriteString("version", Version);
            if (CertificateSha256 is { } sha256)
            {
                json.WriteString("certificateSha256", sha256);
                json.WriteString("certificateFile", CertificateFile);
                json.WriteString("certificateKey", CertificateKey);
            }

            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        DurableFile.Write(path, buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    /// <summary>Null when the file is missing, unreadable or not a whole record: it is a convenience, the lock is the truth.</summary>
    public static ServerRecord? Read(string path)
    {
        try
        {
            return Parse(PlainFile.Read(path, BytesMax));
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static ServerRecord? Parse(ReadOnlySpan<byte> content)
    {
        string? url = null;
        string? bootId = null;
        string version = "";
        string? sha256 = null;
        string? certificate = null;
        string? key = null;
        int pid = 0;
        long startTicks = 0;
        var json = new Utf8JsonReader(content);
        _ = json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            _ = json.Read();
            switch (name)
            {
                case "url":
                    url = json.GetString();
                    break;
                case "pid":
                    pid = json.GetInt32();
                    break;
                case "startTicks":
                    startTicks = json.GetInt64();
                    break;
                case "bootId":
                    bootId = json.GetString();
                    break;
                case "version":
                    version = json.GetString() ?? "";
                    break;
                case "certificateSha256":
                    sha256 = json.GetString();
                    break;
                case "certificateFile":
                    certificate = json.GetString();
                    break;
                case "certificateKey":
                    key = json.GetString();
                    break;
                default:
                    json.Skip();
                    break; // A newer server's field.
            }
        }

        return url is null || bootId is null || pid <= 0
            ? null
            : new ServerRecord(url, new ProcessIdentity(bootId, pid, startTicks), version)
            {
                CertificateSha256 = sha256,
                CertificateFile = certificate,
                CertificateKey = key,
            };
    }
}
