namespace Holdfast.SystemTests.Serving;

/// <summary>Somebody who asks a server that may be killed at any moment, and asks again until it has answered.</summary>
internal interface IStubbornCaller
{
    /// <summary>Only for what may be asked twice.</summary>
    Task<T> PersistAsync<T>(Func<RestClient, Task<T>> ask);
}
