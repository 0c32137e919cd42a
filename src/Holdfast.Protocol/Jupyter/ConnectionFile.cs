using System.Globalization;
using System.Text.Json;
using Holdfast.Protocol.Json;
using Holdfast.Protocol.Processes;

namespace Holdfast.Protocol.Jupyter;

/// <summary>A kernel's five channels, in the order Jupyter numbers them.</summary>
public enum KernelChannel : byte
{
    Shell,
    IoPub,
    Stdin,
    Control,
    Heartbeat,
}

/// <summary>
/// The file that tells a kernel where to listen and with which key to sign. Written 0600 and durably before the kernel is started: whoever
/// can read it can run code in the kernel. For <c>ipc</c>, <see cref="Ip"/> is a path and the ports are suffixes: <c>ipc://PATH-1</c>.
/// </summary>
public sealed class ConnectionFile
{
    public required string Transport { get; init; }
    public required string Ip { get; init; }
    public required int ShellPort { get; init; }
    public required int IoPubPort { get; init; }
    public required int StdinPort { get; init; }
    public required int ControlPort { get; init; }
    public required int HeartbeatPort { get; init; }

    /// <summary>Empty for an unsigned connection.</summary>
    public required string Key { get; init; }

    public string SignatureScheme { get; init; } = "hmac-sha256";
    public string KernelName { get; init; } = "";

    public int Port(KernelChannel channel) =>
        channel switch
        {
            KernelChannel.Shell => ShellPort,
            KernelChannel.IoPub => IoPubPort,
            KernelChannel.Stdin => StdinPort,
            KernelChannel.Control => ControlPort,
            _ => HeartbeatPort,
        };

    public string Endpoint(KernelChannel channel) =>
        string.Create(CultureInfo.InvariantCulture, $"{Transport}://{Ip}{(Transport == "tcp" ? ':' : '-')}{Port(channel)}");

    public void Write(string path)
    {
        var json = new PlainJsonWriter();
        json.WriteStartObject();
        json.WriteNumber("shell_port", ShellPort);
        json.WriteNumber("iopub_port", IoPubPort);
        json.WriteNumber("stdin_port", StdinPort);
        json.WriteNumber("control_port", ControlPort);
        json.WriteNumber("hb_port", HeartbeatPort);
        json.WriteString("ip", Ip);
        json.WriteString("key", Key);
        json.WriteString("transport", Transport);
        json.WriteString("signature_scheme", SignatureScheme);
        json.WriteString("kernel_name", KernelName);
        json.WriteEndObject();
        DurableFile.Write(path, json.Written);
    }

    /// <summary>Throws <see cref="FormatException"/> with the field's name when a needed one is missing or of another kind.</summary>
    public static ConnectionFile Read(string path)
    {
        string transport = "tcp",
            ip = "",
            key = "",
            scheme = JupyterSigner.Scheme,
            kernelName = "";
        int shell = 0,
            iopub = 0,
            stdin = 0,
            control = 0,
            heartbeat = 0;
        try
        {
            var reader = new Utf8JsonReader(File.ReadAllBytes(path));
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                string name = reader.GetString()!;
                reader.Read();
                switch (name)
                {
                    case "shell_port":
                        shell = reader.GetInt32();
                        break;
                    case "iopub_port":
                        iopub = reader.GetInt32();
                        break;
                    case "stdin_port":
                        stdin = reader.GetInt32();
                        break;
                    case "control_port":
                        control = reader.GetInt32();
                        break;
                    case "hb_port":
                        heartbeat = reader.GetInt32();
                        break;
                    case "ip":
                        ip = reader.GetString() ?? "";
                        break;
                    case "key":
                        key = reader.GetString() ?? "";
                        break;
                    case "transport":
                        transport = reader.GetString() ?? "";
                        break;
                    case "signature_scheme":
                        scheme = reader.GetString() ?? "";
                        break;
                    case "kernel_name":
                        kernelName = reader.GetString() ?? "";
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException($"{path} is not a connection file: {e.Message}");
        }

        if (ip.Length == 0 || shell == 0 || iopub == 0 || stdin == 0 || control == 0 || heartbeat == 0)
        {
            throw new FormatException($"{path} is not a connection file: ip and all five ports are needed.");
        }

        return new ConnectionFile
        {
            Transport = transport,
            Ip = ip,
            ShellPort = shell,
            IoPubPort = iopub,
            StdinPort = stdin,
            ControlPort = control,
            HeartbeatPort = heartbeat,
            Key = key,
            SignatureScheme = scheme,
            KernelName = kernelName,
        };
    }
}
