using System.Text.Json;

namespace Holdfast.Engine.Callbacks;

/// <summary>Who is to be told of an outcome, as asked for: a receiver on the web, or a command on this machine.</summary>
public sealed record CallbackRequest
{
    /// <summary>An http or https address that gets a POST.</summary>
    public string? Url { get; init; }

    /// <summary>A command in place of a url, which gets the same body as its standard input.</summary>
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>Signs what is sent, see docs/spec/callbacks.md: <c>whsec_</c> and 24 to 64 bytes in base64. Absent: not signed.</summary>
    public string? Secret { get; init; }

    /// <summary>In place of one, several: one signature each, so that a receiver can go over from one to the next.</summary>
    public IReadOnlyList<string>? Secrets { get; init; }

    /// <summary>When to try again: the name of a preset, or the seconds to wait after each failed attempt.</summary>
    public JsonElement? Schedule { get; init; }

    /// <summary>Without the secrets, wherever a request may be printed.</summary>
    public override string ToString() => $"callback to {Url ?? "a command"}";
}
