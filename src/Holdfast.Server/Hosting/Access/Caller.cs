namespace Holdfast.Server.Hosting.Access;

/// <summary>How a request proved whose it is.</summary>
internal enum Caller
{
    Nobody,

    /// <summary>By the token itself, which no page of a stranger knows.</summary>
    Token,

    /// <summary>By the cookie of a login, which a browser sends whoever asks it to.</summary>
    Cookie,

    /// <summary>Not at all: it showed a token that is none, or none any more.</summary>
    Wrong,
}
